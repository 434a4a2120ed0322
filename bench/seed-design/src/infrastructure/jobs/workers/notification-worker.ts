import { type Job, Worker } from 'bullmq';
import { prisma } from '@/lib/prisma';
import { redisConnection } from '../connection';
import { type NotificationJobData, NotificationJobType } from '../queues/notification-queue';

async function processNotificationJob(job: Job<NotificationJobData>): Promise<void> {
  const { type, userId, title, message, actionUrl, notificationType } = job.data;
  console.log(`[NotificationWorker] Processing ${type} for user ${userId}`);
  switch (type) {
    case NotificationJobType.CREATE_NOTIFICATION:
      await prisma.notification.create({ data: { userId, title, message, actionUrl, type: notificationType } });
      break;
  }
  console.log(`[NotificationWorker] ✅ ${type} processed successfully`);
}

export const notificationWorker = new Worker('notification', processNotificationJob, {
  ...redisConnection,
  concurrency: 10,
});
notificationWorker.on('completed', (job) => console.log(`[NotificationWorker] Job ${job.id} completed`));
notificationWorker.on('failed', (job, err) => console.error(`[NotificationWorker] Job ${job?.id} failed`, err));
