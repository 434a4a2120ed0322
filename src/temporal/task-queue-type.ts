import { TASK_QUEUES } from '../../workflows/contract.ts';

const WORKFLOW = 1; // temporal.api.enums.v1.TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW
const ACTIVITY = 2;

/** Whether a queue is for workflows; the others are for activities. */
export const isWorkflowQueue = (taskQueue: string) => taskQueue === TASK_QUEUES.onboarding;

/** What Temporal calls that. */
export const taskQueueTypeOf = (taskQueue: string) => (isWorkflowQueue(taskQueue) ? WORKFLOW : ACTIVITY);
