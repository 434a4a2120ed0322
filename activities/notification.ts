import { cancellationSignal } from '@temporalio/activity';
import type { Pool } from 'pg';
import type { PrismaClient } from '../src/db/generated/client.ts';
import { deliverNotification } from '../src/onboarding/delivery-step.ts';
import type { InboxAnnouncer } from '../src/notifications/announce.ts';
import type { NotificationWebhook } from '../src/notifications/webhook.ts';
import { type Notified, recordNotification, recordReassignment } from '../src/onboarding/notification-step.ts';
import type { StepOwner } from '../src/onboarding/step-record.ts';
import type { NotificationActivities } from '../workflows/activities.ts';
import type { NotifyResult } from '../workflows/contract.ts';

export interface NotificationActivityDependencies {
  pool: Pool;
  prisma: PrismaClient;
  /** Where notifications are sent to as well; without one they are in the inbox only. */
  webhook?: NotificationWebhook | undefined;
  /** Tells streams of the inbox; without it they find what is new by themselves, later. */
  announcer?: Pick<InboxAnnouncer, 'announce'> | undefined;
}

/** The activities of the task queue `notification`. */
export function createNotificationActivities({
  pool,
  prisma,
  webhook,
  announcer,
}: NotificationActivityDependencies): NotificationActivities {
  /** The inbox has it before, and whether or not, the webhook takes it. */
  const notify = async (ref: StepOwner, recorded: Promise<Notified>): Promise<NotifyResult> => {
    const { outcome, notificationId, userId } = await recorded;
    if (userId !== undefined) announcer?.announce({ organizationId: ref.organizationId, userId });
    if (webhook && notificationId) {
      await deliverNotification({ prisma, webhook, signal: cancellationSignal() }, ref, notificationId);
    }
    return { outcome };
  };
  return {
    notifyAssignee: (ref) => notify(ref, recordNotification(pool, ref)),
    notifyReassigned: (ref) => notify(ref, recordReassignment(pool, ref)),
  };
}
