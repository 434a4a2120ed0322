import { Queue } from 'bullmq';
import { defaultJobOptions, redisConnection } from '../connection';

export enum NotificationJobType {
  CREATE_NOTIFICATION = 'CREATE_NOTIFICATION',
}

export interface NotificationJobData {
  type: NotificationJobType;
  userId: string;
  title: string;
  message: string;
  actionUrl: string;
  notificationType: string;
}

const queue = new Queue<NotificationJobData>('notification', { ...redisConnection, defaultJobOptions });

export const addNotificationJob = (data: NotificationJobData) => queue.add(data.type, data);
