import { describe, expect } from 'vitest';
import { createNotificationActivities } from '../../activities/notification.ts';
import { updateLead } from '../../src/leads/update.ts';
import { refOf, runActivity, runTwice } from '../support/activity.ts';
import type { TestDatabase } from '../support/database.ts';
import { takeIn, test } from '../support/onboarding.ts';
import { startWebhookReceiver } from '../support/webhook-receiver.ts';

const caller = { keyId: null, userId: 'user-1', ipAddress: null, userAgent: null, requestId: 'request-1' };
const NORMAL = { priority: 'NORMAL' } as const;

const inboxOf = ({ prisma }: TestDatabase, leadId: string) =>
  prisma.notification.findMany({ where: { leadId }, orderBy: { assignment: 'asc' } });

const deliveriesOf = ({ prisma }: TestDatabase, leadId: string) =>
  prisma.leadEvent.findMany({ where: { leadId, type: 'notification.delivered' }, orderBy: { seq: 'asc' } });

describe('notifyAssignee with a webhook', () => {
  test('delivers once, however often it runs', async ({ database }) => {
    const { webhook, received } = await startWebhookReceiver();
    const { notifyAssignee } = createNotificationActivities({ ...database, webhook });
    const order = await takeIn(database);
    expect(await runTwice(notifyAssignee, refOf(order))).toEqual([{ outcome: 'created' }, { outcome: 'created' }]);

    const [notification] = await inboxOf(database, order.leadId);
    expect(received).toMatchObject([
      {
        id: notification?.id,
        event: { data: { leadId: order.leadId, organizationId: 'org-123', userId: 'user-456', title: 'Novo Lead' } },
      },
    ]);
    expect(notification?.deliveredAt).toBeInstanceOf(Date);
    expect(await deliveriesOf(database, order.leadId)).toMatchObject([{ data: { notificationId: notification?.id } }]);
  });

  test('sends nothing without one', async ({ database }) => {
    const { received } = await startWebhookReceiver();
    const { notifyAssignee } = createNotificationActivities(database);
    const order = await takeIn(database);
    await runTwice(notifyAssignee, refOf(order));
    expect(received).toEqual([]);
    expect(await inboxOf(database, order.leadId)).toMatchObject([{ deliveredAt: null }]);
  });

  test('sends nothing when there is nobody to tell', async ({ database }) => {
    const { webhook, received } = await startWebhookReceiver();
    const { notifyAssignee } = createNotificationActivities({ ...database, webhook });
    const order = await takeIn(database, { assignedTo: null });
    await runTwice(notifyAssignee, refOf(order));
    expect(received).toEqual([]);
  });

  test('has it in the inbox at once while the receiver is down, and delivers that one later', async ({ database }) => {
    const { webhook, received, goDown, comeBack } = await startWebhookReceiver();
    const { notifyAssignee } = createNotificationActivities({ ...database, webhook });
    const order = await takeIn(database);
    await goDown();
    for (const attempt of [1, 2])
      await expect(runActivity(notifyAssignee, refOf(order), attempt)).rejects.toMatchObject({
        type: 'WebhookUnavailable',
      });
    const [notification] = await inboxOf(database, order.leadId);
    expect(notification).toMatchObject({ userId: 'user-456', deliveredAt: null });

    await comeBack();
    expect(await runActivity(notifyAssignee, refOf(order), 3)).toEqual({ outcome: 'created' });
    expect(received.map(({ id }) => id)).toEqual([notification?.id]);
    expect(await inboxOf(database, order.leadId)).toHaveLength(1);
    expect(await deliveriesOf(database, order.leadId)).toMatchObject([{ metadata: { attempt: 3 } }]);
  });

  test('delivers again under the same id when the answer was lost', async ({ database }) => {
    const { webhook, received, reactOnce } = await startWebhookReceiver();
    const { notifyAssignee } = createNotificationActivities({ ...database, webhook });
    const order = await takeIn(database);
    reactOnce('cut');
    await expect(runActivity(notifyAssignee, refOf(order), 1)).rejects.toMatchObject({ type: 'WebhookUnavailable' });
    await runActivity(notifyAssignee, refOf(order), 2);
    const [notification] = await inboxOf(database, order.leadId);
    expect(received.map(({ id }) => id)).toEqual([notification?.id, notification?.id]);
    expect(received[1]?.event).toEqual(received[0]?.event);
    expect(await deliveriesOf(database, order.leadId)).toHaveLength(1);
  });

  test('marks one delivery when several workers run it at the same moment', async ({ database }) => {
    const { webhook, received } = await startWebhookReceiver();
    const { notifyAssignee } = createNotificationActivities({ ...database, webhook });
    const order = await takeIn(database);
    await Promise.all(Array.from({ length: 8 }, (_, i) => runActivity(notifyAssignee, refOf(order), i + 1)));
    expect(new Set(received.map(({ id }) => id)).size).toBe(1);
    expect(await deliveriesOf(database, order.leadId)).toHaveLength(1);
  });

  test('locks nothing while the receiver takes its time', async ({ database }) => {
    const { webhook, received, reactOnce } = await startWebhookReceiver();
    const { notifyAssignee } = createNotificationActivities({ ...database, webhook });
    const order = await takeIn(database);
    reactOnce('hang');
    const attempt = runActivity(notifyAssignee, refOf(order));
    attempt.catch(() => undefined);
    await expect.poll(() => received).toHaveLength(1);
    const busy = `SELECT 1 FROM pg_stat_activity
      WHERE datname = current_database() AND pid <> pg_backend_pid() AND state <> 'idle'`;
    expect((await database.pool.query(busy)).rows).toEqual([]);
    await updateLead(database.prisma, order.leadId, { company: 'Other Corp' }, caller);
    await expect(attempt).rejects.toMatchObject({ type: 'WebhookUnavailable' });
  });

  test('delivers in a later round what was not delivered, and only that', async ({ database }) => {
    const { webhook, received, reactOnce } = await startWebhookReceiver();
    const { notifyAssignee } = createNotificationActivities({ ...database, webhook });
    const order = await takeIn(database);
    reactOnce({ status: 410 });
    await expect(runActivity(notifyAssignee, refOf(order))).rejects.toMatchObject({ type: 'WebhookRefused' });
    for (const round of [2, 3]) {
      await database.prisma.onboarding.update({ where: { leadId: order.leadId }, data: { round } });
      const outcomes = await runTwice(notifyAssignee, { ...refOf(order), round });
      expect(outcomes).toEqual([{ outcome: 'skipped' }, { outcome: 'skipped' }]);
      expect(received).toHaveLength(2);
    }
    expect(await inboxOf(database, order.leadId)).toHaveLength(1);
    expect(await deliveriesOf(database, order.leadId)).toMatchObject([{ stepKey: '2/delivery' }]);
  });

  test('delivers nothing of a lead that was erased meanwhile', async ({ database }) => {
    const { webhook, received, reactOnce } = await startWebhookReceiver();
    const { notifyAssignee } = createNotificationActivities({ ...database, webhook });
    const order = await takeIn(database);
    reactOnce('cut');
    await expect(runActivity(notifyAssignee, refOf(order))).rejects.toThrow();
    await database.prisma.leadRecord.delete({ where: { id: order.leadId } });
    await expect(runActivity(notifyAssignee, refOf(order), 2)).rejects.toMatchObject({ type: 'LeadGone' });
    expect(received).toHaveLength(1);
  });
});

describe('notifyReassigned with a webhook', () => {
  test('delivers to each assignee once', async ({ database }) => {
    const { webhook, received } = await startWebhookReceiver();
    const { notifyAssignee, notifyReassigned } = createNotificationActivities({ ...database, webhook });
    const order = await takeIn(database);
    await runActivity(notifyAssignee, refOf(order));
    await updateLead(database.prisma, order.leadId, { assignedTo: 'user-789' }, caller);
    await runTwice(notifyReassigned, { ...refOf(order), ...NORMAL, assignment: 2 });

    expect(received.map(({ event }) => event.data['userId'])).toEqual(['user-456', 'user-789']);
    expect(new Set(received.map(({ id }) => id)).size).toBe(2);
    expect(await deliveriesOf(database, order.leadId)).toHaveLength(2);
  });

  test('still delivers what is in the inbox of an assignee who was replaced since, and nothing else', async ({
    database,
  }) => {
    const { webhook, received, reactOnce } = await startWebhookReceiver();
    const { notifyReassigned } = createNotificationActivities({ ...database, webhook });
    const order = await takeIn(database, { assignedTo: null });
    await updateLead(database.prisma, order.leadId, { assignedTo: 'user-1' }, caller);
    reactOnce('cut');
    await expect(runActivity(notifyReassigned, { ...refOf(order), ...NORMAL, assignment: 1 })).rejects.toThrow();
    for (const assignedTo of ['user-2', 'user-3'])
      await updateLead(database.prisma, order.leadId, { assignedTo }, caller);
    const told = [];
    for (const assignment of [1, 2, 3])
      told.push(await runActivity(notifyReassigned, { ...refOf(order), ...NORMAL, assignment }, 2));
    expect(told).toEqual([{ outcome: 'created' }, { outcome: 'skipped' }, { outcome: 'created' }]);
    expect(received.map(({ event }) => event.data['userId'])).toEqual(['user-1', 'user-1', 'user-3']);
  });
});
