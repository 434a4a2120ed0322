import { describe, expect } from 'vitest';
import { updateLead } from '../../src/leads/update.ts';
import { ONBOARDING_QUERY, PRIORITY_SIGNAL, type PriorityChange } from '../../workflows/contract.ts';
import type { TestDatabase } from '../support/database.ts';
import { recordLog } from '../support/log.ts';
import { type Onboarding, test } from '../support/onboarding.ts';
import { carrierTo, relayOnce } from '../support/relay.ts';
import { createTestClient } from '../support/temporal.ts';

const caller = { keyId: null, userId: 'user-1', ipAddress: null, userAgent: null, requestId: 'request-1' };
const FAR_AWAY_MS = 600_000;

async function relay({ pool }: TestDatabase): Promise<void> {
  const client = createTestClient();
  await relayOnce({ pool, log: recordLog().log, carryOut: carrierTo(client) });
  await client.connection.close();
}

/** The steps that a run has ordered, each with its place in its queue: 1 is the first. */
async function stepsOf({ handle }: Onboarding) {
  const { events } = await handle.fetchHistory();
  return (events ?? []).flatMap(({ activityTaskScheduledEventAttributes: step }) =>
    step ? [[step.activityType?.name, step.priority?.priorityKey]] : [],
  );
}

describe('a change of priority', () => {
  test('reaches a run that is under way: the steps to come are ordered by it', async ({ database, onboard }) => {
    const run = await onboard({ delayMs: FAR_AWAY_MS });
    await expect.poll(() => run.handle.query(ONBOARDING_QUERY)).toMatchObject({ notification: 'created' });
    await database.pool.query('DELETE FROM outbox');
    await updateLead(database.prisma, run.leadId, { priority: 'CRITICAL' }, caller);
    expect(await database.prisma.outbox.findMany()).toMatchObject([
      {
        leadId: run.leadId,
        kind: 'SIGNAL_ONBOARDING',
        payload: { signal: 'changePriority', priority: 'CRITICAL', version: 2, round: 1, requestId: 'request-1' },
      },
    ]);
    await relay(database);
    expect(await database.prisma.outbox.count()).toBe(0);

    await run.handle.signal('enrichNow');
    await run.handle.result();
    expect(await stepsOf(run)).toEqual([
      ['notifyAssignee', 3],
      ['enrichLead', 1],
      ['scoreLead', 1],
    ]);
  });

  test('does not undo a later one that came before it', async ({ onboard }) => {
    const run = await onboard({ delayMs: FAR_AWAY_MS });
    const changeTo = (priority: PriorityChange['priority'], version: number) =>
      run.handle.signal<[PriorityChange]>(PRIORITY_SIGNAL, { priority, version });
    await changeTo('LOW', 3);
    await changeTo('CRITICAL', 2);
    await run.handle.signal('enrichNow');
    await run.handle.result();
    expect(await stepsOf(run)).toEqual(expect.arrayContaining([['scoreLead', 4]]));
  });

  test('orders nothing when the onboarding is over, or when it was that priority before', async ({
    database,
    onboard,
  }) => {
    const run = await onboard();
    await run.handle.result();
    await database.pool.query('DELETE FROM outbox');
    await updateLead(database.prisma, run.leadId, { priority: 'HIGH' }, caller);
    await updateLead(database.prisma, run.leadId, { priority: 'HIGH', name: 'Maria' }, caller);
    expect(await database.prisma.outbox.count()).toBe(0);
  });
});
