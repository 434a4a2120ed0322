import { beforeEach, describe, expect } from 'vitest';
import { KEPT_SCORES, scoreSweeper } from '../../src/scoring/sweep-scores.ts';
import { explain } from '../support/explain.ts';
import type { TestDatabase } from '../support/database.ts';
import { takeIn, test } from '../support/onboarding.ts';
import { recordStatements } from '../support/statements.ts';

/** Gives a lead so many scores, one a second; each says which it is. */
const addScores = ({ pool }: TestDatabase, leadId: string, count: number) =>
  pool.query(
    `INSERT INTO score (id, lead_id, organization_id, rule_version, score, band, lines, cause, at)
     SELECT gen_random_uuid(), $1, 'org-123', n, 0, 'COLD', '[]', 'ENRICHMENT', now() + n * interval '1 second'
     FROM generate_series(1, $2::int) AS n`,
    [leadId, count],
  );

const versionsOf = async ({ prisma }: TestDatabase, leadId: string) =>
  (await prisma.score.findMany({ where: { leadId }, orderBy: { at: 'asc' } })).map(({ ruleVersion }) => ruleVersion);

const numbers = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => from + i);

beforeEach<{ database: TestDatabase }>(({ database }) => database.prisma.score.deleteMany());

describe('sweeping scores', () => {
  test('keeps the newest 50 of each lead, with the one in force, and those of a lead that has fewer', async ({
    database,
  }) => {
    const [many, few] = [await takeIn(database), await takeIn(database)];
    await addScores(database, many.leadId, 70);
    await addScores(database, few.leadId, 3);
    expect(await scoreSweeper(database.pool)()).toBe(20);
    expect(await versionsOf(database, many.leadId)).toEqual(numbers(21, 70));
    expect(await versionsOf(database, few.leadId)).toEqual([1, 2, 3]);
    expect(KEPT_SCORES).toBe(50);
  });

  test('comes past all leads, and again, a bounded number of scores at a time', async ({ database }) => {
    const leads = await Promise.all(Array.from({ length: 5 }, () => takeIn(database)));
    for (const { leadId } of leads) await addScores(database, leadId, 120);
    const sweep = scoreSweeper(database.pool);
    const swept = [await sweep(), await sweep(), await sweep()];
    expect(swept).toEqual([250, 100, 0]);
    for (const { leadId } of leads) expect(await versionsOf(database, leadId)).toEqual(numbers(71, 120));
  });

  test('leaves what an erasure just takes away to it, and does not wait', async ({ database }) => {
    const { leadId } = await takeIn(database);
    await addScores(database, leadId, 60);
    const erasure = await database.pool.connect();
    await erasure.query('BEGIN');
    await erasure.query('DELETE FROM score WHERE lead_id = $1 AND rule_version <= 4', [leadId]);
    expect(await scoreSweeper(database.pool)()).toBe(6);
    await erasure.query('ROLLBACK');
    erasure.release();
    expect(await versionsOf(database, leadId)).toEqual([...numbers(1, 4), ...numbers(11, 60)]);
  });

  test('goes from lead to lead in an index', async ({ database }) => {
    const { leadId } = await takeIn(database);
    await addScores(database, leadId, 60);
    const statements = recordStatements();
    await scoreSweeper(database.pool)();
    const [sweep] = statements;
    if (!sweep) throw new Error('no statement');
    const used = await explain(database.pool, sweep);
    expect(used.filter((step) => step.startsWith('score_lead_id_at_id_idx: (lead_id > '))).toHaveLength(2);
    expect(used.filter((step) => step.startsWith('score_lead_id_at_id_idx: (lead_id = '))).toHaveLength(1);
  });
});
