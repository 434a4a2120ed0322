import { randomUUID } from 'node:crypto';
import { describe, expect } from 'vitest';
import { BUILT_IN_RULES } from '../../src/scoring/built-in.ts';
import { dryRun } from '../../src/scoring/dry-run.ts';
import { ruleSetSchema } from '../../src/scoring/rule-set.ts';
import { everyTenant } from '../../src/db/tenant.ts';
import { testWithoutStarts as test } from '../support/api.ts';
import { expectProblem } from '../support/problem.ts';
import { countRows } from '../support/rows.ts';
import { fillScored, rule, TELLING_RULES } from '../support/scores.ts';

interface DryRun {
  complete: boolean;
  leads: number;
  up: number;
  down: number;
  same: number;
  overridden: number;
  bands: { from: string; to: string; leads: number }[];
  movers: { leadId: string; from: number; to: number; toBand: string }[];
  rules: { rule: string; applies: number; unknown: number; failed: number }[];
}

describe('GET /api/score-rules', () => {
  test('answers the built-in rules of an organization without its own, as they may be sent back', async ({ api }) => {
    const { status, body } = await api.call('GET', '/api/score-rules?organizationId=org-new');
    expect(status).toBe(200);
    const state = {
      organizationId: 'org-new',
      version: 0,
      inForce: true,
      createdBy: null,
      createdAt: null,
      rescore: null,
    };
    expect(body).toEqual({ ...state, ...BUILT_IN_RULES });
  });

  test('answers its own rules, in any version', async ({ api, database }) => {
    const organizationId = `org-${randomUUID()}`;
    for (const version of [1, 2]) {
      const rules = ruleSetSchema.parse({ rules: [rule(`r${version}`, 'true', version)] });
      await database.prisma.scoreRuleSet.create({ data: { organizationId, version, rules, createdBy: 'user-1' } });
    }
    const read = (version: string) => api.call('GET', `/api/score-rules?organizationId=${organizationId}${version}`);
    expect((await read('')).body).toMatchObject({ version: 2, inForce: true, rules: [{ rule: 'r2' }] });
    expect((await read('&version=1')).body).toMatchObject({ version: 1, inForce: false, createdBy: 'user-1' });
    expect((await read('&version=0')).body).toMatchObject({ version: 0, inForce: false, name: 'built-in' });
    expectProblem(await read('&version=3'), 404, 'not-found');
    expectProblem(await read('&version=x'), 400, 'invalid-request', ['version']);
  });
});

describe('POST /api/score-rules/dry-run', () => {
  test('says who would move where, and stores nothing', async ({ api, database }) => {
    const organizationId = `org-${randomUUID()}`;
    await fillScored(database.pool, organizationId, 1_200); // three pages
    const before = await countRows(database);
    const { status, body } = await api.call<DryRun>('POST', '/api/score-rules/dry-run', {
      organizationId,
      ...TELLING_RULES,
    });
    expect(status).toBe(200);
    expect(body).toMatchObject({ complete: true, leads: 1_200, up: 880, down: 0, same: 320, overridden: 0 });
    // n % 30 by 2, 3 and 5: HOT is 60 + 30, WARM is 60.
    expect(body.bands).toEqual([
      { from: 'COLD', to: 'HOT', leads: 120 },
      { from: 'COLD', to: 'WARM', leads: 120 },
      { from: 'COLD', to: 'COLD', leads: 960 },
    ]);
    expect(body.movers).toHaveLength(10);
    for (const mover of body.movers) expect(mover).toMatchObject({ from: 0, to: 95, fromBand: 'COLD', toBand: 'HOT' });
    expect(body.rules).toEqual([
      { rule: 'mailbox', applies: 240, unknown: 0, failed: 0 },
      { rule: 'referral', applies: 600, unknown: 0, failed: 0 },
      { rule: 'company', applies: 400, unknown: 800, failed: 0 },
    ]);
    expect(await countRows(database)).toEqual(before);
    expect(await database.prisma.lead.count({ where: { organizationId, NOT: { score: 0 } } })).toBe(0);
  });

  test('names those first who move furthest, up or down', async ({ api, database }) => {
    const organizationId = `org-${randomUUID()}`;
    await fillScored(database.pool, organizationId, 3);
    await database.pool.query(
      `UPDATE lead_score SET score = points, band = CASE points WHEN 90 THEN 'HOT' ELSE 'COLD' END,
         breakdown = jsonb_build_array(jsonb_build_object('rule', 'old', 'points', points, 'reason', 'Old'))
       FROM (SELECT id, (ARRAY[30, 0, 90])[substr(name, 6)::int] AS points FROM lead WHERE organization_id = $1) AS old
       WHERE id = lead_id`,
      [organizationId],
    );
    const sent = { organizationId, rules: [rule('all', 'true', 50)] };
    const { body } = await api.call<DryRun>('POST', '/api/score-rules/dry-run', sent);
    expect(body.movers.map(({ from, to }) => [from, to])).toEqual([
      [0, 50],
      [90, 50],
      [30, 50],
    ]);
  });

  test('leaves out of account what a person has set, and other organizations', async ({ api, database }) => {
    const [organizationId, other] = [`org-${randomUUID()}`, `org-${randomUUID()}`];
    await fillScored(database.pool, organizationId, 10);
    await fillScored(database.pool, other, 10);
    const lead = await database.prisma.lead.findFirstOrThrow({ where: { organizationId, name: 'Lead 10' } });
    await api.call('PUT', `/api/leads/${lead.id}/score/override`, { score: 1, reason: 'x' });
    const sent = { organizationId, rules: [rule('all', 'true', 10)] };
    const { body } = await api.call<DryRun>('POST', '/api/score-rules/dry-run', sent);
    expect(body).toMatchObject({ complete: true, leads: 10, up: 9, down: 0, same: 0, overridden: 1 });
  });

  test('tells what it has looked at when its time is up', async ({ database }) => {
    const organizationId = `org-${randomUUID()}`;
    await fillScored(database.pool, organizationId, 600);
    const request = { organizationId, rules: ruleSetSchema.parse(TELLING_RULES), budgetMs: 0 };
    const answer = await dryRun(everyTenant(database.prisma), request);
    expect(answer).toMatchObject({ complete: false, leads: 500 });
  });

  test('knows that the page on which its time was up had the last lead', async ({ database }) => {
    const organizationId = `org-${randomUUID()}`;
    await fillScored(database.pool, organizationId, 500);
    const request = { organizationId, rules: ruleSetSchema.parse(TELLING_RULES), budgetMs: 0 };
    const answer = await dryRun(everyTenant(database.prisma), request);
    expect(answer).toMatchObject({ complete: true, leads: 500 });
  });

  test('is done for two callers at once, and a third is told when to come back', async ({ api, database }) => {
    const organizationId = `org-${randomUUID()}`;
    await fillScored(database.pool, organizationId, 2_000);
    const run = () => api.call('POST', '/api/score-rules/dry-run', { organizationId, ...TELLING_RULES });
    const answers = await Promise.all([run(), run(), run()]);
    const refused = answers.filter(({ status }) => status !== 200);
    expect(refused.map(({ status, headers }) => [status, headers.get('retry-after')])).toEqual([[503, '3']]);
    expect((await run()).status).toBe(200);
  });

  test('names the rule and the column at fault', async ({ api }) => {
    const rules = [rule('good', 'true', 1), rule('bad', 'has(lead.email) && lead.emial == "x"', 1)];
    const answer = await api.call('POST', '/api/score-rules/dry-run', { organizationId: 'org-1', rules });
    expectProblem(answer, 400, 'invalid-request', ['rules[1].when']);
    expect(answer.body).toMatchObject({
      errors: [
        { message: expect.stringMatching(/^rule bad, column 25: lead has no emial: there is email,/) as string },
      ],
    });
  });
});
