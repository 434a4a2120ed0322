import { TASK_QUEUES, type TaskQueue } from '../../workflows/contract.ts';
import type { Workload } from '../temporal/worker.ts';
import type { Environment } from './environment.ts';

type Capacity = Omit<Workload, 'activities' | 'workflowBundle' | 'failurePolicy' | 'sinks'>;

/** What a worker of each queue works on at once, how many calls of it ask for more, and what it does in a second. */
export const capacityOf = (env: Environment): Record<TaskQueue, Capacity> => ({
  [TASK_QUEUES.onboarding]: {
    maxConcurrentWorkflowTaskExecutions: env.ONBOARDING_CONCURRENCY,
    ...(env.ONBOARDING_POLLERS && { workflowTaskPollerBehavior: pollersOf(env.ONBOARDING_POLLERS) }),
  },
  [TASK_QUEUES.notification]: {
    maxConcurrentActivityTaskExecutions: env.NOTIFICATION_CONCURRENCY,
    ...(env.NOTIFICATION_POLLERS && { activityTaskPollerBehavior: pollersOf(env.NOTIFICATION_POLLERS) }),
    ...(env.NOTIFICATION_RATE && { maxActivitiesPerSecond: env.NOTIFICATION_RATE }),
    ...(env.NOTIFICATION_QUEUE_RATE && { maxTaskQueueActivitiesPerSecond: env.NOTIFICATION_QUEUE_RATE }),
  },
  [TASK_QUEUES.webhook]: {
    maxConcurrentActivityTaskExecutions: env.WEBHOOK_CONCURRENCY,
    ...(env.WEBHOOK_POLLERS && { activityTaskPollerBehavior: pollersOf(env.WEBHOOK_POLLERS) }),
  },
  [TASK_QUEUES.lead]: {
    maxConcurrentActivityTaskExecutions: env.LEAD_CONCURRENCY,
    ...(env.LEAD_POLLERS && { activityTaskPollerBehavior: pollersOf(env.LEAD_POLLERS) }),
    ...(env.LEAD_RATE && { maxActivitiesPerSecond: env.LEAD_RATE }),
    ...(env.LEAD_QUEUE_RATE && { maxTaskQueueActivitiesPerSecond: env.LEAD_QUEUE_RATE }),
  },
});

const pollersOf = (pollers: number | 'auto') =>
  pollers === 'auto' ? { type: 'autoscaling' as const } : { type: 'simple-maximum' as const, maximum: pollers };
