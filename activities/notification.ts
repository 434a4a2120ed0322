import { ApplicationFailure } from '@temporalio/activity';
import { v7 as uuidv7 } from 'uuid';
import type { PrismaClient } from '../src/db/generated/client.ts';
import { createNotification, isAssigned } from '../src/notifications/create.ts';
import { lockLead, openStep } from '../src/onboarding/open-step.ts';
import { activityOrigin, recordStep } from '../src/onboarding/step-record.ts';
import { FAILURES, type NotificationActivities } from '../workflows/contract.ts';

/** The activities of the task queue `notification`. */
export function createNotificationActivities({ prisma }: { prisma: PrismaClient }): NotificationActivities {
  return {
    notifyAssignee: (ref) =>
      prisma.$transaction(async (tx) => {
        const { lead, recorded } = await openStep(tx, ref, 'notification');
        if (recorded) return { outcome: recorded.type === 'notification.created' ? 'created' : 'skipped' };
        if (!isAssigned(lead)) {
          await recordStep(tx, ref, 'notification', 'notification.skipped', { reason: 'no-assignee' });
          return { outcome: 'skipped' };
        }
        const notificationId = await createNotification(tx, lead);
        if (notificationId === undefined) {
          await recordStep(tx, ref, 'notification', 'notification.skipped', { reason: 'notified-before' });
          return { outcome: 'skipped' };
        }
        const data = { userId: lead.assignedTo, notificationId };
        await recordStep(tx, ref, 'notification', 'notification.created', data);
        return { outcome: 'created' };
      }),

    notifyReassigned: (ref) =>
      prisma.$transaction(async (tx) => {
        const lead = await lockLead(tx, ref.leadId);
        if (!lead) throw ApplicationFailure.nonRetryable(`Lead ${ref.leadId} does not exist`, FAILURES.leadGone);
        if (!isAssigned(lead) || lead.assignment !== ref.assignment) return { outcome: 'skipped' };
        const notificationId = await createNotification(tx, lead);
        if (!notificationId) return { outcome: 'created' };
        await tx.leadEvent.create({
          data: {
            id: uuidv7(),
            leadId: lead.id,
            organizationId: lead.organizationId,
            type: 'notification.created',
            data: { userId: lead.assignedTo, notificationId },
            metadata: activityOrigin(ref.requestId),
          },
        });
        return { outcome: 'created' };
      }),
  };
}
