import { describe, expect } from 'vitest';
import { createNotificationActivities } from '../../activities/notification.ts';
import { toNotification } from '../../src/notifications/notification.ts';
import { updateLead } from '../../src/leads/update.ts';
import { refOf, runActivity, runTwice } from '../support/activity.ts';
import { takeIn, test } from '../support/onboarding.ts';

const caller = { keyId: null, userId: 'user-1', ipAddress: null, userAgent: null, requestId: 'request-1' };

describe('notifyAssignee', () => {
  test('puts one notification, in Portuguese, into the inbox, however often it runs', async ({ database }) => {
    const { notifyAssignee } = createNotificationActivities(database);
    const order = await takeIn(database);
    expect(await runTwice(notifyAssignee, refOf(order))).toEqual([{ outcome: 'created' }, { outcome: 'created' }]);

    const inbox = await database.prisma.notification.findMany({ where: { leadId: order.leadId } });
    expect(inbox).toMatchObject([
      {
        userId: 'user-456',
        type: 'INFO',
        title: 'Novo Lead',
        message: 'Lead João Silva foi criado e atribuído a você',
        actionUrl: `/dashboard/leads/${order.leadId}`,
        readAt: null,
      },
    ]);
    const types = await database.prisma.leadEvent.findMany({
      where: { leadId: order.leadId },
      orderBy: { seq: 'asc' },
    });
    expect(types.map(({ type }) => type)).toEqual(['lead.created', 'onboarding.started', 'notification.created']);
  });

  test('announces it to the streams of its user, and nothing where there is nobody to tell', async ({ database }) => {
    const announced: object[] = [];
    const announcer = { announce: (inbox: object) => void announced.push(inbox) };
    const { notifyAssignee } = createNotificationActivities({ ...database, announcer });
    await runActivity(notifyAssignee, refOf(await takeIn(database)));
    await runActivity(notifyAssignee, refOf(await takeIn(database, { assignedTo: null })));
    expect(announced).toEqual([{ organizationId: 'org-123', userId: 'user-456' }]);
  });

  test('speaks English to a lead of locale en', async ({ database }) => {
    const { notifyAssignee } = createNotificationActivities(database);
    const order = await takeIn(database, { locale: 'en' });
    await runActivity(notifyAssignee, refOf(order));
    const [notification] = await database.prisma.notification.findMany({ where: { leadId: order.leadId } });
    expect(notification).toMatchObject({
      title: 'New lead',
      message: 'Lead João Silva was created and assigned to you',
    });
  });

  test('shows no hidden characters of a name that was stored before names were cleaned', async ({ database }) => {
    const { notifyAssignee } = createNotificationActivities(database);
    const order = await takeIn(database);
    await database.prisma.leadRecord.update({
      where: { id: order.leadId },
      data: { name: 'Ana \u202eexe.\u0007gnp\nSilva' },
    });
    await runActivity(notifyAssignee, refOf(order));
    const notification = await database.prisma.notification.findFirstOrThrow({ where: { leadId: order.leadId } });
    expect(toNotification(notification, null)).toMatchObject({
      message: 'Lead Ana exe.gnp Silva foi criado e atribuído a você',
    });
  });

  test('creates one notification when two workers run it at the same moment', async ({ database }) => {
    const { notifyAssignee } = createNotificationActivities(database);
    const order = await takeIn(database);
    await Promise.all(Array.from({ length: 8 }, (_, i) => runActivity(notifyAssignee, refOf(order), i + 1)));
    expect(await database.prisma.notification.count({ where: { leadId: order.leadId } })).toBe(1);
    expect(await database.prisma.leadEvent.count({ where: { leadId: order.leadId } })).toBe(3);
  });

  test('refuses, without another try, a lead that is gone and an onboarding that is over', async ({ database }) => {
    const { notifyAssignee } = createNotificationActivities(database);
    const order = await takeIn(database);
    await database.prisma.onboarding.update({ where: { leadId: order.leadId }, data: { state: 'CANCELED' } });
    await expect(runActivity(notifyAssignee, refOf(order))).rejects.toMatchObject({
      type: 'OnboardingClosed',
      nonRetryable: true,
    });

    await database.prisma.leadRecord.delete({ where: { id: order.leadId } });
    await expect(runActivity(notifyAssignee, refOf(order))).rejects.toMatchObject({
      type: 'LeadGone',
      nonRetryable: true,
    });
  });
});

describe('notifyReassigned', () => {
  test('tells the new assignee once, and leaves the old notification', async ({ database }) => {
    const { notifyAssignee, notifyReassigned } = createNotificationActivities(database);
    const order = await takeIn(database);
    await runActivity(notifyAssignee, refOf(order));
    await updateLead(database.prisma, order.leadId, { assignedTo: 'user-789' }, caller);
    const assignment = { ...refOf(order), assignment: 2, priority: 'NORMAL' as const };
    expect(await runTwice(notifyReassigned, assignment)).toEqual([{ outcome: 'created' }, { outcome: 'created' }]);

    const inbox = await database.prisma.notification.findMany({
      where: { leadId: order.leadId },
      orderBy: { assignment: 'asc' },
    });
    expect(inbox.map(({ userId }) => userId)).toEqual(['user-456', 'user-789']);
    const created = { leadId: order.leadId, type: 'notification.created' };
    expect(await database.prisma.leadEvent.count({ where: created })).toBe(2);
  });

  test('does not tell an assignee who was replaced before', async ({ database }) => {
    const { notifyReassigned } = createNotificationActivities(database);
    const order = await takeIn(database, { assignedTo: null });
    for (const assignedTo of ['user-1', 'user-2'])
      await updateLead(database.prisma, order.leadId, { assignedTo }, caller);
    const stale = { ...refOf(order), assignment: 1, priority: 'NORMAL' as const };
    expect(await runActivity(notifyReassigned, stale)).toEqual({ outcome: 'skipped' });
    expect(await database.prisma.notification.count({ where: { leadId: order.leadId } })).toBe(0);
  });
});
