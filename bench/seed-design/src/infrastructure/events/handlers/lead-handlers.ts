import type { LeadCreatedEvent } from '@/core/domain/events/lead-events';
import { calculateLeadScoreJob, enrichLeadDataJob } from '@/infrastructure/jobs/queues/lead-queue';
import { addNotificationJob, NotificationJobType } from '@/infrastructure/jobs/queues/notification-queue';

export async function handleLeadCreated(event: LeadCreatedEvent): Promise<void> {
  const { leadId, organizationId, name, assignedTo } = event.payload;
  console.log(`[LeadHandler] New lead created: ${name}`);

  await addNotificationJob({
    type: NotificationJobType.CREATE_NOTIFICATION,
    userId: assignedTo ?? event.metadata.userId,
    title: 'Novo Lead',
    message: `Lead ${name} foi criado e atribuído a você`,
    actionUrl: `/dashboard/leads/${leadId}`,
    notificationType: 'INFO',
  });
  await enrichLeadDataJob(leadId, organizationId, { delay: 10_000, priority: 5 });
  await calculateLeadScoreJob(leadId, organizationId);
}
