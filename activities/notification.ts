import type { Pool } from 'pg';
import type { InboxAnnouncer } from '../src/notifications/announce.ts';
import { type Notified, recordNotification, recordReassignment } from '../src/onboarding/notification-step.ts';
import type { StepOwner } from '../src/onboarding/step-record.ts';
import type { NotificationActivities } from '../workflows/activities.ts';
import type { NotifyResult } from '../workflows/contract.ts';

export interface NotificationActivityDependencies {
  pool: Pool;
  /** Tells streams of the inbox; without it they find what is new by themselves, later. */
  announcer?: Pick<InboxAnnouncer, 'announce'> | undefined;
}

/** The activities of the task queue `notification`. */
export function createNotificationActivities({
  pool,
  announcer,
}: NotificationActivityDependencies): NotificationActivities {
  const notify = async (ref: StepOwner, recorded: Promise<Notified>): Promise<NotifyResult> => {
    const { outcome, userId } = await recorded;
    if (userId !== undefined) announcer?.announce({ organizationId: ref.organizationId, userId });
    return { outcome };
  };
  return {
    notifyAssignee: (ref) => notify(ref, recordNotification(pool, ref)),
    notifyReassigned: (ref) => notify(ref, recordReassignment(pool, ref)),
  };
}
