import type { Pool, QueryConfig } from 'pg';
import { describe, expect } from 'vitest';
import { createLeadActivities } from '../../activities/lead.ts';
import { createNotificationActivities } from '../../activities/notification.ts';
import { builtInProviders } from '../../src/enrichment/built-in.ts';
import { updateLead } from '../../src/leads/update.ts';
import type { OnboardingRef } from '../../workflows/contract.ts';
import { refOf, runActivity } from '../support/activity.ts';
import { takeIn, test } from '../support/onboarding.ts';
import { recordStatements } from '../support/statements.ts';

const caller = { keyId: null, userId: 'user-1', ipAddress: null, userAgent: null, requestId: 'request-1' };
const settled = { enrichment: { outcome: 'completed' }, notification: { outcome: 'created' } } as const;

/** The pool, and what happens just before it runs a statement for the first time. */
function before(pool: Pool, name: string, happens: () => Promise<unknown>): Pool {
  let isOver = false;
  const query = async (statement: QueryConfig) => {
    if (statement.name === name && !isOver) {
      isOver = true;
      await happens();
    }
    return pool.query(statement);
  };
  return Object.assign(Object.create(pool) as Pool, { query });
}

test('a step is one round trip, or two where it thinks in between', async ({ database }) => {
  const { notifyAssignee } = createNotificationActivities(database);
  const { enrichLead, scoreLead } = createLeadActivities({ ...database, providers: builtInProviders });
  const ref = refOf(await takeIn(database));
  const statements = recordStatements();
  const called = () => statements.splice(0).map(({ text }) => /\w+(?=\()/.exec(text)?.[0] ?? text);
  await runActivity(notifyAssignee, ref);
  expect(called()).toEqual(['notify_assignee']);
  await runActivity(enrichLead, ref);
  expect(called()).toEqual(['start_enrichment', 'keep_enrichment']);
  await runActivity(scoreLead, { ...ref, ...settled });
  expect(called()).toEqual(['to_jsonb', 'record_score']);
});

describe('what changes between reading and writing', () => {
  test('is what a person enters, which an enrichment keeps', async ({ database }) => {
    const ref = refOf(await takeIn(database));
    const fetchedAt = '2026-11-29T12:00:00.000Z';
    const jobTitle = { value: 'CEO', source: 'human', method: 'entered', fetchedAt, confidence: 1 };
    const document = JSON.stringify({ fields: { jobTitle }, providers: [] });
    const pool = before(database.pool, 'keep_enrichment', () =>
      database.pool.query('SELECT put_enrichment($1, $2, $3)', [ref.leadId, ref.organizationId, document]),
    );
    const { enrichLead } = createLeadActivities({ ...database, pool, providers: builtInProviders });
    expect(await runActivity(enrichLead, ref)).toEqual({ outcome: 'completed' });
    const { enrichment } = await database.prisma.lead.findUniqueOrThrow({ where: { id: ref.leadId } });
    expect(enrichment).toMatchObject({ fields: { jobTitle, emailKind: { value: 'CORPORATE' } } });
  });

  test('is a field of the lead, which its score counts', async ({ database }) => {
    const ref = refOf(await takeIn(database));
    const change = { source: 'REFERRAL' } as const;
    const pool = before(database.pool, 'record_score', () => updateLead(database.prisma, ref.leadId, change, caller));
    const score = async (of: OnboardingRef, using = database.pool) => {
      const { scoreLead } = createLeadActivities({ ...database, pool: using, providers: [] });
      return (await runActivity(scoreLead, { ...of, ...settled })).score;
    };
    const changed = await score(ref, pool);
    expect(changed).toBe(await score(refOf(await takeIn(database, change))));
    expect(changed).not.toBe(await score(refOf(await takeIn(database))));
  });

  test('are the rules: a score by older ones is not written', async ({ database }) => {
    const ref = refOf(await takeIn(database, { organizationId: 'org-rules' }));
    const rules = { name: 'all', rules: [], bands: { HOT: 70, WARM: 40 }, groups: [] };
    const pool = before(database.pool, 'record_score', () =>
      database.pool.query(`INSERT INTO score_rule_set (organization_id, version, rules) VALUES ($1, 7, $2)`, [
        ref.organizationId,
        JSON.stringify(rules),
      ]),
    );
    const { scoreLead } = createLeadActivities({ ...database, pool, providers: [] });
    expect(await runActivity(scoreLead, { ...ref, ...settled })).toMatchObject({ score: 0 });
    const scores = await database.prisma.score.findMany({ where: { leadId: ref.leadId } });
    expect(scores.map(({ ruleVersion }) => ruleVersion)).toEqual([7]);
  });
});
