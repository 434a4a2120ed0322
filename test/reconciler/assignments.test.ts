import { beforeEach, describe, expect } from 'vitest';
import { updateLead } from '../../src/leads/update.ts';
import { assigneeNotificationWorkflowId } from '../../workflows/contract.ts';
import type { TestDatabase } from '../support/database.ts';
import { recordLog } from '../support/log.ts';
import { takeIn, test } from '../support/onboarding.ts';
import { loseRun, reconcilerPass, untilEnded } from '../support/reconciler.ts';
import { carrierTo, relayOnce } from '../support/relay.ts';
import { createTestClient } from '../support/temporal.ts';
import { answerWorkflowTask, CANCEL } from '../support/workflow-task.ts';

const client = createTestClient();
const { log } = recordLog();
const caller = { keyId: null, userId: null, ipAddress: null, userAgent: null, requestId: 'request-1' };

const relay = ({ pool }: TestDatabase) => relayOnce({ pool, carryOut: carrierTo(client), log });

const reconcile = (database: TestDatabase, patienceMs = 0) => reconcilerPass(database, { patienceMs });

const assign = ({ prisma }: TestDatabase, leadId: string, assignedTo: string | null) =>
  updateLead(prisma, leadId, { assignedTo }, caller);

const runOf = (leadId: string) => client.workflow.getHandle(assigneeNotificationWorkflowId(leadId, 2));

const told = ({ prisma }: TestDatabase, leadId: string) => prisma.notification.count({ where: { leadId } });

/** A lead with a later assignee, whose order is gone. */
async function reassigned(database: TestDatabase): Promise<string> {
  const { leadId } = await takeIn(database);
  await database.pool.query('DELETE FROM watch WHERE lead_id = $1', [leadId]);
  await assign(database, leadId, 'user-789');
  await database.pool.query('DELETE FROM outbox');
  return leadId;
}

beforeEach<{ database: TestDatabase }>(async ({ database }) => {
  await database.pool.query('DELETE FROM outbox');
  await database.pool.query('DELETE FROM lead');
});

describe('a later assignee who was not told', () => {
  test.for(['lost', 'terminated'] as const)('is told once when the run was %s', async (fate, { database, onboard }) => {
    const run = await onboard();
    await run.handle.result();
    await database.pool.query('DELETE FROM outbox');
    await assign(database, run.leadId, 'user-789');
    if (fate === 'terminated') {
      await client.workflow.start('unknown', {
        workflowId: assigneeNotificationWorkflowId(run.leadId, 2),
        taskQueue: 'nobody',
      });
      await loseRun(runOf(run.leadId));
    }
    await database.pool.query('DELETE FROM outbox');
    expect(await reconcile(database)).toMatchObject({ 'ordered again': 1 });
    await relay(database);
    expect(await runOf(run.leadId).result()).toEqual({ outcome: 'created' });
    expect(await told(database, run.leadId)).toBe(2);
    expect(await reconcile(database)).toMatchObject({ 'ordered again': 0, 'under way': 0 });
    expect(await database.prisma.outbox.count()).toBe(0);
  });

  test('is told no more when somebody canceled the run in Temporal', async ({ database }) => {
    const leadId = await reassigned(database);
    const workflowId = assigneeNotificationWorkflowId(leadId, 2);
    await client.workflow.start('unknown', { workflowId, taskQueue: 'by-the-test' });
    await answerWorkflowTask(client, { taskQueue: 'by-the-test', workflowId }, [CANCEL]);
    await untilEnded(workflowId);
    expect(await reconcile(database)).toMatchObject({ canceled: 1, 'ordered again': 0 });
    const where = { leadId_stepKey: { leadId, stepKey: 'assignment-2/notification' } };
    expect(await database.prisma.leadEvent.findUnique({ where })).toMatchObject({
      type: 'notification.skipped',
      data: { reason: 'RunCanceled' },
    });
    expect(await database.prisma.outbox.count()).toBe(0);
    expect(await database.prisma.watch.count()).toBe(0);
  });

  test('is left to the run that is under way, and to the order', async ({ database }) => {
    const leadId = await reassigned(database);
    await assign(database, leadId, 'user-456');
    const watched = () => database.prisma.watch.findMany({ select: { run: true } });
    expect(await reconcile(database)).toMatchObject({ 'ordered again': 0, 'under way': 2 });
    await relay(database);
    await database.pool.query('UPDATE watch SET look_after = since');
    expect(await reconcile(database)).toMatchObject({ 'ordered again': 0, 'under way': 2 });
    expect(await watched()).toEqual([{ run: 'assignment-3' }]); // nobody waits for the one before
    await client.workflow.getHandle(assigneeNotificationWorkflowId(leadId, 3)).terminate();
  });

  test('is ordered once by several reconcilers', async ({ database }) => {
    for (let i = 0; i < 10; i += 1) await reassigned(database);
    const passes = await Promise.all([1, 2, 3, 4].map(() => reconcile(database)));
    expect(passes.reduce((sum, pass) => sum + pass['ordered again'], 0)).toBe(10);
    expect(await database.prisma.outbox.count({ where: { kind: 'NOTIFY_ASSIGNEE' } })).toBe(10);
  });

  test('is not told when the lead has none now, or was just assigned', async ({ database }) => {
    const unassigned = await reassigned(database);
    await assign(database, unassigned, null);
    await reassigned(database);
    expect(await reconcile(database, 60_000)).toMatchObject({ 'ordered again': 0, 'under way': 0 });
    expect(await reconcile(database)).toMatchObject({ 'ordered again': 1, 'under way': 1 });
    expect(await database.prisma.watch.count()).toBe(1);
  });

  test('is none who had the lead from its creation: the onboarding tells them', async ({ database }) => {
    await takeIn(database);
    expect(await database.prisma.watch.findMany({ select: { run: true } })).toEqual([{ run: 'onboarding' }]);
  });
});
