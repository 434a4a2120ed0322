import { randomUUID } from 'node:crypto';
import { describe, expect } from 'vitest';
import { createLeadActivities } from '../../activities/lead.ts';
import type { Lead } from '../../src/leads/lead.ts';
import { refOf, runActivity } from '../support/activity.ts';
import { type Page, testWithoutStarts as test } from '../support/api.ts';
import type { TestDatabase } from '../support/database.ts';
import { takeIn } from '../support/onboarding.ts';
import { expectProblem } from '../support/problem.ts';

interface Explanation {
  score: number | null;
  band: string | null;
  text: string;
  calculated: { score: number; ruleVersion: number; lines: { rule: string; points: number; reason: string }[] } | null;
  override: { score: number; reason: string; by: string | null; at: string } | null;
  history: { score: number; ruleVersion: number; cause: string }[];
}

const DONE = { enrichment: { outcome: 'completed' }, notification: { outcome: 'created' } } as const;

/** A lead with a score: 45 points, as it was not enriched. */
async function scored(database: TestDatabase, change: Parameters<typeof takeIn>[1] = {}) {
  const order = await takeIn(database, change);
  const { scoreLead } = createLeadActivities({ ...database, providers: [] });
  await runActivity(scoreLead, { ...refOf(order), ...DONE });
  return order.leadId;
}

const scoreOf = (leadId: string) => `/api/leads/${leadId}/score`;
const overrideOf = (leadId: string) => `${scoreOf(leadId)}/override`;

describe('GET /api/leads/{id}/score', () => {
  test("explains the score in the lead's language, and in the other on demand", async ({ api, database }) => {
    const leadId = await scored(database);
    const { status, body } = await api.call<Explanation>('GET', scoreOf(leadId));
    expect(status).toBe(200);
    expect(body).toMatchObject({ leadId, score: 45, band: 'WARM', override: null });
    expect(body.text.split('\n')).toEqual([
      '45 de 100 pontos: morno (WARM).',
      '+10: Um endereço de e-mail foi informado; nada se sabe do seu domínio.',
      '+15: Uma empresa foi informada.',
      '+10: E-mail, telefone e empresa foram todos informados.',
      '+10: O lead veio do site.',
    ]);
    expect(body.calculated?.lines[1]).toEqual({
      rule: 'company.given',
      points: 15,
      reason: 'Uma empresa foi informada',
    });
    expect(body.history).toEqual([expect.objectContaining({ score: 45, ruleVersion: 0, cause: 'ONBOARDING' })]);

    const english = await api.call<Explanation>('GET', `${scoreOf(leadId)}?locale=en`);
    expect(english.body.text).toContain('45 of 100 points: WARM.\n+10: An e-mail address was given');
    const lead = await scored(database, { locale: 'en' });
    expect((await api.call<Explanation>('GET', scoreOf(lead))).body.text).toMatch(/^45 of 100/);
  });

  test('says which rule could not be calculated', async ({ api, database }) => {
    const organizationId = `org-${randomUUID()}`;
    const reason = { 'pt-BR': 'Porque sim', en: 'Because' };
    const rules = {
      groups: [],
      bands: { HOT: 70, WARM: 40 },
      rules: [
        { rule: 'broken', when: 'size(lead.email) / 0 > 1', points: 10, reason },
        { rule: 'minus', when: 'true', points: -20, reason },
      ],
    };
    await database.prisma.scoreRuleSet.create({ data: { organizationId, version: 1, rules } });
    const { body } = await api.call<Explanation>(
      'GET',
      `${scoreOf(await scored(database, { organizationId }))}?locale=en`,
    );
    expect(body.calculated).toMatchObject({ ruleVersion: 1, failedRules: ['broken'] });
    expect(body.text.split('\n')).toEqual([
      '0 of 100 points: COLD.',
      '−20: Because.',
      '+20: A score stays within 0 and 100.',
      'The rule broken could not be calculated for this lead, and did not count.',
    ]);
  });

  test('tells a lead without a score from one that is not there', async ({ api, database }) => {
    const { leadId } = await takeIn(database);
    const { body } = await api.call<Explanation>('GET', scoreOf(leadId));
    const nothing = { score: null, band: null, calculated: null, override: null, history: [] };
    expect(body).toMatchObject({ ...nothing, text: 'Este lead ainda não tem pontuação.' });
    expectProblem(await api.call('GET', scoreOf(randomUUID())), 404, 'not-found');
    expectProblem(await api.call('GET', `${scoreOf(leadId)}?locale=fr`), 400, 'invalid-request', ['locale']);
  });
});

describe('PUT /api/leads/{id}/score/override', () => {
  test('puts a score of a person in force, with who and why, and keeps the calculated one beside it', async ({
    api,
    database,
  }) => {
    const organizationId = `org-${randomUUID()}`;
    const leadId = await scored(database, { organizationId });
    const override = { score: 90, reason: 'Met the director in person' };
    const answer = await api.call<Explanation>('PUT', overrideOf(leadId), override, { 'x-actor-id': 'user-7' });
    expect(answer.status).toBe(200);
    expect(answer.body).toMatchObject({ score: 90, band: 'HOT', calculated: { score: 45 }, override });
    expect(answer.body.override?.by).toBe('user-7');
    expect(answer.body.text).toContain('Uma pessoa definiu 90 pontos no lugar dos 45 calculados. Motivo: Met the');

    const list = await api.call<Page<Lead>>('GET', `/api/leads?organizationId=${organizationId}&scoreBand=HOT`);
    expect(list.body.items).toEqual([expect.objectContaining({ id: leadId, score: 90, scoreBand: 'HOT' })]);
    const timeline = await api.call<Page<{ type: string; data: object }>>('GET', `/api/leads/${leadId}/timeline`);
    const entry = timeline.body.items.at(-1);
    expect(entry).toMatchObject({ type: 'score.overridden', data: { from: 45, to: 90 } });
    expect(JSON.stringify(entry)).not.toContain('director');
  });

  test('replaces one of before, which is kept', async ({ api, database }) => {
    const leadId = await scored(database);
    await api.call('PUT', overrideOf(leadId), { score: 90, reason: 'One' }, { 'x-actor-id': 'user-1' });
    await api.call('PUT', overrideOf(leadId), { score: 10, reason: 'Two' }, { 'x-actor-id': 'user-2' });
    const { body } = await api.call<Explanation>('GET', scoreOf(leadId));
    expect(body).toMatchObject({ score: 10, band: 'COLD', override: { score: 10, reason: 'Two', by: 'user-2' } });
    const kept = await database.prisma.scoreOverride.findMany({ where: { leadId }, orderBy: { setAt: 'asc' } });
    expect(kept.map(({ reason, endedBy }) => [reason, endedBy])).toEqual([
      ['One', 'user-2'],
      ['Two', null],
    ]);
  });

  test('outlives a new calculation, which goes into the history', async ({ api, database }) => {
    const order = await takeIn(database);
    const { scoreLead } = createLeadActivities({ ...database, providers: [] });
    const first = { enrichment: { outcome: 'partial' }, notification: { outcome: 'created' } } as const;
    await runActivity(scoreLead, { ...refOf(order), ...first });
    await api.call('PUT', overrideOf(order.leadId), { score: 77, reason: 'Known' });
    expect((await api.call('POST', `/api/leads/${order.leadId}/onboarding/retry`)).status).toBe(202);
    await api.call('PATCH', `/api/leads/${order.leadId}`, { company: null });
    await runActivity(scoreLead, { ...refOf(order), round: 2, ...DONE });
    const { body } = await api.call<Explanation>('GET', scoreOf(order.leadId));
    expect(body).toMatchObject({ score: 77, band: 'HOT', calculated: { score: 20 } });
    expect(body.history.map(({ score }) => score)).toEqual([20, 45]);
    const { scoreBreakdown } = await database.prisma.lead.findUniqueOrThrow({ where: { id: order.leadId } });
    expect(scoreBreakdown).toContainEqual({ rule: 'override', points: 57, reason: 'The score was set by a person' });
  });

  test.for([
    [{ score: 101, reason: 'x' }, 'score'],
    [{ score: 1.5, reason: 'x' }, 'score'],
    [{ score: 50, reason: ' ' }, 'reason'],
    [{ score: 50 }, 'reason'],
    [{ score: 50, reason: 'x', band: 'HOT' }, 'band'],
  ] as const)('refuses %j', async ([body, path], { api, database }) => {
    const answer = await api.call('PUT', overrideOf(await scored(database)), body);
    expectProblem(answer, 400, 'invalid-request', [path]);
  });

  test('refuses a lead that has no score yet, or is not there', async ({ api, database }) => {
    const { leadId } = await takeIn(database);
    expectProblem(await api.call('PUT', overrideOf(leadId), { score: 1, reason: 'x' }), 409, 'conflict');
    expectProblem(await api.call('PUT', overrideOf(randomUUID()), { score: 1, reason: 'x' }), 404, 'not-found');
  });
});

describe('DELETE /api/leads/{id}/score/override', () => {
  test('lets the calculated score count again, once', async ({ api, database }) => {
    const leadId = await scored(database);
    await api.call('PUT', overrideOf(leadId), { score: 90, reason: 'One' });
    for (let time = 0; time < 2; time += 1) {
      expect((await api.call('DELETE', overrideOf(leadId))).status).toBe(204);
      const { body } = await api.call<Explanation>('GET', scoreOf(leadId));
      expect(body).toMatchObject({ score: 45, band: 'WARM', override: null });
    }
    const timeline = await api.call<Page<{ type: string }>>('GET', `/api/leads/${leadId}/timeline`);
    expect(timeline.body.items.filter(({ type }) => type === 'score.override-removed')).toHaveLength(1);
    const lead = await database.prisma.lead.findUniqueOrThrow({ where: { id: leadId } });
    expect(JSON.stringify(lead.scoreBreakdown)).not.toContain('override');
  });
});
