import { randomUUID } from 'node:crypto';
import { describe, expect } from 'vitest';
import { createLeadActivities } from '../../activities/lead.ts';
import { activateRules } from '../../src/scoring/activate.ts';
import { commandRescore } from '../../src/scoring/rescore.ts';
import { createRuleBook } from '../../src/scoring/rule-book.ts';
import { ruleSetSchema } from '../../src/scoring/rule-set.ts';
import { databaseFault } from '../../src/db/faults.ts';
import { setOverride } from '../../src/scoring/override.ts';
import type { RescoreInput } from '../../workflows/rescore-contract.ts';
import { onboardByHand } from '../support/rows.ts';
import { refOf, runActivity, runTwice } from '../support/activity.ts';
import type { TestDatabase } from '../support/database.ts';
import { takeIn, test } from '../support/onboarding.ts';
import { holdLead } from '../support/row-lock.ts';
import { fillScored, rule, TELLING_RULES } from '../support/scores.ts';

const caller = { keyId: null, userId: 'user-1', ipAddress: null, userAgent: null, requestId: 'request-1' };
const activitiesOf = (database: TestDatabase) => createLeadActivities({ ...database, providers: [] });

/** An organization with leads, and a rescore by new rules that has not begun. */
async function begin(database: TestDatabase, leads: number, rules: object = TELLING_RULES) {
  const organizationId = `org-${randomUUID()}`;
  await fillScored(database.pool, organizationId, leads);
  return { organizationId, ...(await activate(database, organizationId, rules)) };
}

async function activate({ prisma }: TestDatabase, organizationId: string, rules: object = TELLING_RULES) {
  const activation = { organizationId, rules: ruleSetSchema.parse(rules), caller, orderDelayMs: 60_000 };
  const { answer } = await prisma.$transaction((tx) => activateRules(tx, activation));
  const rescoreId = answer.rescore.id;
  return { rescoreId, page: (pages: number): RescoreInput => ({ rescoreId, organizationId, requestId: 'r', pages }) };
}

const rowOf = ({ prisma }: TestDatabase, id: string) => prisma.scoreRescore.findUniqueOrThrow({ where: { id } });

/** How many scores each lead has by a rescore: `[leads, the most of one lead]`. */
async function rescored({ pool }: TestDatabase, rescoreId: string) {
  const { rows } = await pool.query<{ leads: number; most: number }>(
    `SELECT count(*)::int AS leads, coalesce(max(n), 0)::int AS most
     FROM (SELECT count(*) AS n FROM score WHERE rescore_id = $1 GROUP BY lead_id) AS counts`,
    [rescoreId],
  );
  return rows[0];
}

describe('rescorePage', () => {
  test('scores each page once, although every attempt runs twice', async ({ database }) => {
    const { rescorePage } = activitiesOf(database);
    const { organizationId, rescoreId, page } = await begin(database, 1_100);
    for (const pages of [0, 1]) {
      const next = { pages: pages + 1, next: 'page' };
      expect(await runTwice(rescorePage, page(pages))).toEqual([next, { pages: pages + 1, next: 'page' }]);
      expect(await rowOf(database, rescoreId)).toMatchObject({ state: 'RUNNING', done: 500 * (pages + 1) });
    }
    expect(await runTwice(rescorePage, page(2))).toEqual([
      { pages: 3, next: 'end' },
      { pages: 3, next: 'end' },
    ]);
    expect(await rescored(database, rescoreId)).toEqual({ leads: 1_100, most: 1 });
    const rescore = await rowOf(database, rescoreId);
    expect(rescore).toMatchObject({ state: 'COMPLETED', pages: 3, done: 1_100, total: 1_100 });
    expect(rescore.changed).toBe(await database.prisma.lead.count({ where: { organizationId, score: { gt: 0 } } }));
    const lead = await database.prisma.lead.findFirstOrThrow({ where: { organizationId, name: 'Lead 30' } });
    expect(lead).toMatchObject({ score: 95, scoreBand: 'HOT' });
    expect(lead.scoreBreakdown).toContainEqual({ rule: 'mailbox', points: 60, reason: 'Rule mailbox' });
  });

  test('scores a page once although two workers have it in hand', async ({ database }) => {
    const { rescorePage } = activitiesOf(database);
    const { rescoreId, page } = await begin(database, 600);
    const answers = await Promise.all([1, 2, 3].map((attempt) => runActivity(rescorePage, page(0), attempt)));
    expect(answers).toEqual([1, 2, 3].map(() => ({ pages: 1, next: 'page' })));
    expect((await rescored(database, rescoreId))?.most).toBe(1);
    expect((await rowOf(database, rescoreId)).pages).toBe(1);
  });

  test('goes on where Postgres is when its run was lost and begins anew', async ({ database }) => {
    const { rescorePage } = activitiesOf(database);
    const { rescoreId, page } = await begin(database, 600);
    await runActivity(rescorePage, page(0));
    expect(await runActivity(rescorePage, page(0))).toEqual({ pages: 1, next: 'page' });
    expect(await runActivity(rescorePage, page(1))).toEqual({ pages: 2, next: 'end' });
    expect(await rescored(database, rescoreId)).toEqual({ leads: 600, most: 1 });
  });

  test('takes fewer leads at each attempt', async ({ database }) => {
    const { rescorePage } = activitiesOf(database);
    const { rescoreId, page } = await begin(database, 500);
    await runActivity(rescorePage, page(0), 3);
    expect((await rowOf(database, rescoreId)).done).toBe(125);
    await runActivity(rescorePage, page(1), 50);
    expect((await rowOf(database, rescoreId)).done).toBe(150);
  });

  test('waits while it is paused, ends once it is canceled, and does nothing then', async ({ database }) => {
    const { rescorePage } = activitiesOf(database);
    const { rescoreId, page } = await begin(database, 600);
    const command = (name: 'pause' | 'resume' | 'cancel') =>
      database.prisma.$transaction((tx) => commandRescore(tx, rescoreId, name, { caller, orderDelayMs: 60_000 }));
    await command('pause');
    expect(await runActivity(rescorePage, page(0))).toEqual({ pages: 0, next: 'wait' });
    await command('resume');
    expect(await runActivity(rescorePage, page(0))).toEqual({ pages: 1, next: 'page' });
    await command('cancel');
    expect(await runActivity(rescorePage, page(1))).toEqual({ pages: 1, next: 'end' });
    expect(await rescored(database, rescoreId)).toEqual({ leads: 500, most: 1 });
    await expect(command('resume')).rejects.toThrow(/The rescore is over: it is CANCELED/);
    expect((await rowOf(database, rescoreId)).finishedAt).not.toBeNull();
  });

  test('ends when newer rules come into force, by which every lead is scored', async ({ database }) => {
    const { rescorePage } = activitiesOf(database);
    const older = await begin(database, 600);
    await runActivity(rescorePage, older.page(0));
    const newer = await activate(database, older.organizationId, { rules: [rule('all', 'true', 7)] });
    expect(await runActivity(rescorePage, older.page(1))).toEqual({ pages: 1, next: 'end' });
    expect(await rowOf(database, older.rescoreId)).toMatchObject({ state: 'SUPERSEDED', done: 500 });
    await runActivity(rescorePage, newer.page(0));
    await runActivity(rescorePage, newer.page(1));
    expect(await rescored(database, newer.rescoreId)).toEqual({ leads: 600, most: 1 });
    const { organizationId } = older;
    expect(await database.prisma.lead.count({ where: { organizationId, score: 7, scoreBand: 'COLD' } })).toBe(600);
  });

  test('leaves what a person has set in force, and other organizations alone', async ({ database }) => {
    const { rescorePage } = activitiesOf(database);
    const other = await begin(database, 5);
    const { organizationId, page } = await begin(database, 5);
    const { id } = await database.prisma.lead.findFirstOrThrow({ where: { organizationId, name: 'Lead 2' } });
    const override = { score: 99, reason: 'x' };
    const context = { caller, ruleBook: createRuleBook() };
    await database.prisma.$transaction((tx) => setOverride(tx, id, override, context));
    await runActivity(rescorePage, page(0));
    const lead = await database.prisma.lead.findUniqueOrThrow({ where: { id } });
    expect(lead).toMatchObject({ score: 99, scoreBand: 'HOT' });
    const scores = await database.prisma.score.findMany({ where: { leadId: id } });
    expect(scores.map(({ score, ruleVersion }) => [ruleVersion, score]).sort()).toEqual([
      [0, 0],
      [1, 30],
    ]);
    expect(await rescored(database, other.rescoreId)).toEqual({ leads: 0, most: 0 });
  });
});

describe('what happens to leads meanwhile', () => {
  test('a lead that its onboarding scores by the new rules is not scored again', async ({ database }) => {
    const { rescorePage, scoreLead } = activitiesOf(database);
    const { organizationId, rescoreId, page } = await begin(database, 3);
    const order = await takeIn(database, { organizationId });
    const done = { enrichment: { outcome: 'completed' }, notification: { outcome: 'created' } } as const;
    await runActivity(scoreLead, { ...refOf(order), ...done });
    expect(await runActivity(rescorePage, page(0))).toEqual({ pages: 1, next: 'end' });
    expect(await rescored(database, rescoreId)).toEqual({ leads: 3, most: 1 });
    const scores = await database.prisma.score.findMany({ where: { leadId: order.leadId } });
    expect(scores).toEqual([expect.objectContaining({ ruleVersion: 1, cause: 'ONBOARDING' })]);
    expect(await rowOf(database, rescoreId)).toMatchObject({ done: 4, total: 3 });
  });

  test('a score that is being written by the old rules holds new ones up, and is found by the rescore', async ({
    database,
  }) => {
    const organizationId = `org-${randomUUID()}`;
    const { rescorePage } = activitiesOf(database);
    const order = await takeIn(database, { organizationId });
    let activation: ReturnType<typeof activate> | undefined;
    let isActive = false;
    await database.prisma.$transaction(async (tx) => {
      expect((await createRuleBook().inForce(tx, organizationId)).version).toBe(0);
      activation = activate(database, organizationId);
      void activation.then(() => (isActive = true));
      await expect
        .poll(async () => {
          const waiting = `SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted`;
          return (await database.pool.query(waiting)).rowCount;
        })
        .toBe(1);
      expect(isActive).toBe(false);
      const lines = [{ rule: 'old', points: 1, reason: { 'pt-BR': 'x', en: 'x' } }];
      await onboardByHand({ prisma: tx as never }, order.leadId, { score: 1, band: 'COLD' });
      const score = { id: randomUUID(), leadId: order.leadId, organizationId, cause: 'ONBOARDING' as const };
      await tx.score.create({ data: { ...score, ruleVersion: 0, score: 1, band: 'COLD', lines } });
    });
    const { rescoreId, page } = await (activation ?? expect.fail());
    expect(await runActivity(rescorePage, page(0))).toEqual({ pages: 1, next: 'end' });
    expect(await rescored(database, rescoreId)).toEqual({ leads: 1, most: 1 });
  });

  test('an edit that is not committed yet is waited for, and counts', async ({ database }) => {
    const { rescorePage } = activitiesOf(database);
    const { organizationId, page } = await begin(database, 3);
    const { id } = await database.prisma.lead.findFirstOrThrow({ where: { organizationId, name: 'Lead 1' } });
    const lead = await holdLead(database, id);
    const scoring = runActivity(rescorePage, page(0));
    await lead.contended();
    await lead.change(`source = 'REFERRAL', company = 'Acme'`);
    await scoring;
    expect(await database.prisma.lead.findUniqueOrThrow({ where: { id } })).toMatchObject({ score: 35 });
  });

  test('ends after as many leads as fill its pages', async ({ database }) => {
    const { rescorePage } = activitiesOf(database);
    const { rescoreId, page } = await begin(database, 500);
    expect(await runActivity(rescorePage, page(0))).toEqual({ pages: 1, next: 'page' });
    expect(await runActivity(rescorePage, page(1))).toEqual({ pages: 2, next: 'end' });
    expect(await rescored(database, rescoreId)).toEqual({ leads: 500, most: 1 });
  });

  test('a lead that is erased takes its scores along, and the rescore goes on', async ({ database }) => {
    const { rescorePage } = activitiesOf(database);
    const { organizationId, rescoreId, page } = await begin(database, 600);
    await runActivity(rescorePage, page(0));
    await database.prisma.leadRecord.deleteMany({ where: { organizationId, name: { in: ['Lead 1', 'Lead 600'] } } });
    expect(await runActivity(rescorePage, page(1))).toEqual({ pages: 2, next: 'end' });
    expect(await rescored(database, rescoreId)).toEqual({ leads: 598, most: 1 });
  });

  test('however scores, rules and pages come together, each lead ends with the newest rules', async ({ database }) => {
    const { rescorePage, scoreLead } = activitiesOf(database);
    const organizationId = `org-${randomUUID()}`;
    await fillScored(database.pool, organizationId, 200);
    const orders = await Promise.all(Array.from({ length: 40 }, () => takeIn(database, { organizationId })));
    const drain = async ({ page }: Awaited<ReturnType<typeof activate>>, attempt: number) => {
      let at = { pages: 0, next: 'page' };
      while (at.next === 'page') at = await patiently(() => runActivity(rescorePage, page(at.pages), attempt));
    };
    const activations = [7, 8, 9].map(async (points) => {
      const rules = [rule('all', 'true', points)];
      const rescore = await patiently(() => activate(database, organizationId, { rules }));
      await Promise.all([drain(rescore, 5), drain(rescore, 5)]); // small pages, and two workers for each
      return rescore.rescoreId;
    });
    const scores = orders.map((order) => {
      const done = { enrichment: { outcome: 'completed' }, notification: { outcome: 'created' } } as const;
      return patiently(() => runActivity(scoreLead, { ...refOf(order), ...done }));
    });
    const ids = await Promise.all(activations);
    await Promise.all(scores);

    const rescores = await database.prisma.scoreRescore.findMany({ where: { organizationId } });
    expect(rescores.map(({ version }) => version).sort()).toEqual([1, 2, 3]);
    const newest = rescores.find(({ version }) => version === 3);
    expect(newest?.state).toBe('COMPLETED');
    for (const id of ids) expect((await rescored(database, id))?.most).toBeLessThan(2);
    const { rules } = await database.prisma.scoreRuleSet.findUniqueOrThrow({
      where: { organizationId_version: { organizationId, version: 3 } },
    });
    const { points } = (rules as { rules: { points: number }[] }).rules[0] ?? expect.fail();
    expect(await database.prisma.lead.count({ where: { organizationId, score: points } })).toBe(240);
    const { rows } = await database.pool.query(
      `SELECT lead_id FROM score WHERE organization_id = $1 AND rule_version = 3 GROUP BY lead_id HAVING count(*) > 1`,
      [organizationId],
    );
    expect(rows).toEqual([]);
  });
});

/** Tries again what waited too long for others, as Temporal does. */
async function patiently<T>(work: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await work();
    } catch (err) {
      if (!databaseFault(err)) throw err;
    }
  }
}
