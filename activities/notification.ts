import { cancellationSignal } from '@temporalio/activity';
import type { Prisma, PrismaClient } from '../src/db/generated/client.ts';
import { deliverNotification } from '../src/onboarding/delivery-step.ts';
import type { NotificationWebhook } from '../src/notifications/webhook.ts';
import { type Notified, recordNotification, recordReassignment } from '../src/onboarding/notification-step.ts';
import type { StepOwner } from '../src/onboarding/step-record.ts';
import type { NotificationActivities } from '../workflows/activities.ts';
import type { NotifyResult } from '../workflows/contract.ts';

export interface NotificationActivityDependencies {
  prisma: PrismaClient;
  /** Where notifications are sent to as well; without one they are in the inbox only. */
  webhook?: NotificationWebhook | undefined;
}

/** The activities of the task queue `notification`. */
export function createNotificationActivities({
  prisma,
  webhook,
}: NotificationActivityDependencies): NotificationActivities {
  /** The inbox has it before, and whether or not, the webhook takes it. */
  const notify = async (
    ref: StepOwner,
    record: (tx: Prisma.TransactionClient) => Promise<Notified>,
  ): Promise<NotifyResult> => {
    const { outcome, notificationId } = await prisma.$transaction(record);
    if (webhook && notificationId) {
      await deliverNotification({ prisma, webhook, signal: cancellationSignal() }, ref, notificationId);
    }
    return { outcome };
  };
  return {
    notifyAssignee: (ref) => notify(ref, (tx) => recordNotification(tx, ref)),
    notifyReassigned: (ref) => notify(ref, (tx) => recordReassignment(tx, ref)),
  };
}
