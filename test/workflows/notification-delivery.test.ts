import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { describe, expect, inject } from 'vitest';
import { createNotificationActivities } from '../../activities/notification.ts';
import { updateLead } from '../../src/leads/update.ts';
import { assigneeNotificationWorkflowId } from '../../workflows/contract.ts';
import type { TestDatabase } from '../support/database.ts';
import { recordLog } from '../support/log.ts';
import { historyText, type Onboarding, test } from '../support/onboarding.ts';
import { carrierTo, relayOnce } from '../support/relay.ts';
import { createTestClient, replay, testNamespace } from '../support/temporal.ts';
import { startWebhookReceiver } from '../support/webhook-receiver.ts';

const caller = { keyId: null, userId: 'user-1', ipAddress: null, userAgent: null, requestId: 'request-1' };

type Receiver = Awaited<ReturnType<typeof startWebhookReceiver>>;

const deliveringTo = ({ webhook }: Receiver, database: TestDatabase) => ({
  activities: createNotificationActivities({ ...database, webhook }),
});

const inboxOf = ({ prisma }: TestDatabase, leadId: string) => prisma.notification.findMany({ where: { leadId } });

const reasonsOf = async ({ prisma }: TestDatabase, leadId: string) => {
  const events = await prisma.leadEvent.findMany({ where: { leadId, type: 'notification.failed' } });
  return events.map(({ data }) => data);
};

const attemptsOf = ({ log, leadId }: Onboarding) =>
  log.filter((line) => line['leadId'] === leadId && line['step'] === 'notifyAssignee').map(({ msg }) => msg);

describe('leadOnboarding with a webhook', () => {
  test('delivers the notification of a lead once', async ({ onboard, database }) => {
    const receiver = await startWebhookReceiver();
    const run = await onboard(deliveringTo(receiver, database));
    expect(await run.handle.result()).toMatchObject({ state: 'COMPLETED', notification: 'created', score: 85 });
    const [notification] = await inboxOf(database, run.leadId);
    expect(receiver.received.map(({ id }) => id)).toEqual([notification?.id]);
    expect(await run.timeline()).toContain('notification.delivered');
  });

  test('scores while the receiver is down, and ends when it has taken the notification', async ({
    onboard,
    database,
  }) => {
    const receiver = await startWebhookReceiver();
    await receiver.goDown();
    const run = await onboard(deliveringTo(receiver, database));
    await expect.poll(() => run.timeline()).toContain('score.calculated');
    expect(await inboxOf(database, run.leadId)).toMatchObject([{ deliveredAt: null }]);

    await receiver.comeBack();
    expect(await run.handle.result()).toMatchObject({ state: 'COMPLETED', notification: 'created' });
    expect(receiver.received).toHaveLength(1);
    expect(await inboxOf(database, run.leadId)).toHaveLength(1);
    expect((await run.timeline()).slice(-3)).toEqual([
      'score.calculated',
      'notification.delivered',
      'onboarding.completed',
    ]);
    expect(attemptsOf(run)).toEqual(expect.arrayContaining(['step failed', 'step completed']));
  });

  test('delivers again under the same id when the answer was lost', async ({ onboard, database }) => {
    const receiver = await startWebhookReceiver();
    receiver.reactOnce('cut');
    const run = await onboard(deliveringTo(receiver, database));
    expect(await run.handle.result()).toMatchObject({ state: 'COMPLETED' });
    const [notification] = await inboxOf(database, run.leadId);
    expect(receiver.received.map(({ id }) => id)).toEqual([notification?.id, notification?.id]);
    expect(attemptsOf(run)).toEqual(['step started', 'step failed', 'step started', 'step completed']);
  });

  test('waits as long as Retry-After asks', async ({ onboard, database }) => {
    const receiver = await startWebhookReceiver();
    receiver.reactOnce({ status: 429, headers: { 'retry-after': '3' } });
    const run = await onboard(deliveringTo(receiver, database));
    expect(await run.handle.result()).toMatchObject({ state: 'COMPLETED' });
    const [first = 0, second = 0] = receiver.received.map(({ receivedAt }) => receivedAt);
    expect(second - first).toBeGreaterThan(2_900);
  });

  test('ends as partial, and says why, when the receiver refuses', async ({ onboard, database }) => {
    const receiver = await startWebhookReceiver();
    receiver.reactAlways({ status: 410, body: 'João Silva is not known here' });
    const run = await onboard(deliveringTo(receiver, database));
    expect(await run.handle.result()).toMatchObject({ state: 'PARTIAL', notification: 'failed', score: 85 });
    expect(receiver.received).toHaveLength(1);
    expect(await inboxOf(database, run.leadId)).toMatchObject([{ userId: 'user-456', deliveredAt: null }]);
    expect((await run.timeline()).filter((type) => type.startsWith('notification.'))).toEqual([
      'notification.created',
      'notification.failed',
    ]);
    expect(await reasonsOf(database, run.leadId)).toEqual([{ reason: 'WebhookRefused' }]);

    const history = await historyText(run.handle);
    expect(history).toMatch(/The webhook answered 410 to notification [0-9a-f-]{36}/);
    for (const personal of ['Silva', 'joao', 'user-456']) {
      expect(history + JSON.stringify(run.log)).not.toContain(personal);
    }
  });

  test('says so as well when the receiver refuses after the score', async ({ onboard, database }) => {
    const receiver = await startWebhookReceiver();
    receiver.reactOnce({ status: 503, headers: { 'retry-after': '2' } }, { status: 410 });
    const run = await onboard(deliveringTo(receiver, database));
    expect(await run.handle.result()).toMatchObject({ state: 'PARTIAL', notification: 'failed' });
    expect((await run.timeline()).slice(-3)).toEqual([
      'score.calculated',
      'notification.failed',
      'onboarding.completed',
    ]);
    expect(await reasonsOf(database, run.leadId)).toEqual([{ reason: 'WebhookRefused' }]);
  });
});

describe('assigneeNotification with a webhook', () => {
  test('fails when the receiver refuses, and delivers once its run is reset', async ({ onboard, database }) => {
    const receiver = await startWebhookReceiver();
    const run = await onboard(deliveringTo(receiver, database));
    await run.handle.result();
    receiver.reactOnce({ status: 403 });
    await database.pool.query('DELETE FROM outbox');
    await updateLead(database.prisma, run.leadId, { assignedTo: 'user-789' }, caller);
    const client = createTestClient();
    await relayOnce({ pool: database.pool, log: recordLog().log, carryOut: carrierTo(client) });
    const workflowId = assigneeNotificationWorkflowId(run.leadId, 2);
    await expect(client.workflow.getHandle(workflowId).result()).rejects.toMatchObject({
      cause: { cause: { type: 'WebhookRefused' } },
    });

    const reset = ['workflow', 'reset', '-w', workflowId, '--type', 'FirstWorkflowTask', '--reason', 'mended'];
    const where = ['--address', inject('temporalAddress'), '--namespace', testNamespace()];
    await promisify(execFile)(inject('temporalCli'), [...reset, ...where]);
    expect(await client.workflow.getHandle(workflowId).result()).toEqual({ outcome: 'created' });
    const ids = (await inboxOf(database, run.leadId)).map(({ id }) => id);
    expect(receiver.received.map(({ id }) => id)).toEqual([ids[0], ids[1], ids[1]]);
    await replay(client.workflow.getHandle(workflowId));
    await client.connection.close();
  });
});
