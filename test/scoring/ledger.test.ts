import { randomUUID } from 'node:crypto';
import { describe, expect } from 'vitest';
import { createLeadActivities } from '../../activities/lead.ts';
import { builtInProviders } from '../../src/enrichment/built-in.ts';
import { refOf, runTwice } from '../support/activity.ts';
import type { TestDatabase } from '../support/database.ts';
import { takeIn, test } from '../support/onboarding.ts';

const DONE = { enrichment: { outcome: 'completed' }, notification: { outcome: 'created' } } as const;
const reason = { 'pt-BR': 'Porque sim', en: 'Because' };
const rulesWorth = (points: number, when = 'true') => ({
  groups: [],
  bands: { HOT: 70, WARM: 40 },
  rules: [{ rule: 'only', when, points, reason }],
});

const score = async (database: TestDatabase, organizationId: string) => {
  const order = await takeIn(database, { organizationId });
  const { scoreLead } = createLeadActivities({ ...database, providers: builtInProviders });
  const [first, second] = await runTwice(scoreLead, { ...refOf(order), ...DONE });
  expect(second).toEqual(first);
  const lead = await database.prisma.lead.findUniqueOrThrow({ where: { id: order.leadId } });
  const scores = await database.prisma.score.findMany({ where: { leadId: lead.id } });
  return { result: first, lead: { ...lead, scores } };
};

describe('the ledger', () => {
  test('has each score once, with its lines in both languages, although the activity runs twice', async ({
    database,
  }) => {
    const { result, lead } = await score(database, `org-${randomUUID()}`);
    expect(lead).toMatchObject({ score: result.score, scoreBand: result.band });
    expect(lead.scores).toHaveLength(1);
    const [entry] = lead.scores;
    expect(entry).toMatchObject({ score: result.score, band: result.band, ruleVersion: 0, cause: 'ONBOARDING' });
    const lines = entry?.lines as { rule: string; points: number; reason: Record<string, string> }[];
    expect(lines.reduce((sum, { points }) => sum + points, 0)).toBe(result.score);
    expect(lines.find(({ rule }) => rule === 'company.given')?.reason).toEqual({
      'pt-BR': 'Uma empresa foi informada',
      en: 'A company was given',
    });
    expect(lead.scoreBreakdown).toEqual(lines.map((line) => ({ ...line, reason: line.reason['en'] })));
  });

  test("follows the organization's own rules, the highest version of them, and names a rule that failed", async ({
    database,
  }) => {
    const organizationId = `org-${randomUUID()}`;
    const failing = rulesWorth(50, '1 / (size(lead.company) - size(lead.company)) > 0');
    for (const [version, rules] of [rulesWorth(10), rulesWorth(72), failing].entries()) {
      await database.prisma.scoreRuleSet.create({ data: { organizationId, version: version + 1, rules } });
      const { lead } = await score(database, organizationId);
      const expected = [
        { score: 10, band: 'COLD', failedRules: [] },
        { score: 72, band: 'HOT', failedRules: [] },
        { score: 0, band: 'COLD', failedRules: ['only'] },
      ][version];
      expect(lead.scores).toEqual([expect.objectContaining({ ruleVersion: version + 1, ...expected })]);
      expect(lead).toMatchObject({ score: expected?.score, scoreBand: expected?.band });
    }
  });

  test('is refused by Postgres when its lines do not sum to the score, in the history and on the lead', async ({
    database,
  }) => {
    const { lead } = await score(database, 'org-123');
    const lines = JSON.stringify([{ rule: 'a', points: 1, reason }]);
    const history = database.pool.query(`UPDATE score SET lines = $2 WHERE lead_id = $1`, [lead.id, lines]);
    await expect(history).rejects.toMatchObject({ constraint: 'score_is_its_lines' });
    for (const set of ['score = score - 1', 'breakdown = NULLIF($2::jsonb, NULL)']) {
      const change = database.pool.query(`UPDATE lead_score SET ${set} WHERE lead_id = $1 AND $2::jsonb IS NOT NULL`, [
        lead.id,
        lines,
      ]);
      await expect(change).rejects.toMatchObject({ constraint: 'lead_score_is_its_lines' });
    }
    const past = database.pool.query(`UPDATE score SET score = 101, lines = '[{"points": 101}]' WHERE lead_id = $1`, [
      lead.id,
    ]);
    await expect(past).rejects.toMatchObject({ constraint: 'score_from_0_to_100' });
  });

  test('goes with its lead', async ({ database }) => {
    const { lead } = await score(database, 'org-123');
    await database.prisma.leadRecord.delete({ where: { id: lead.id } });
    expect(await database.prisma.score.count({ where: { leadId: lead.id } })).toBe(0);
  });
});
