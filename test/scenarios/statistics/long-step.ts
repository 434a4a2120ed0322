import { proxyActivities } from '@temporalio/workflow';
import { TASK_QUEUES } from '../../../workflows/contract.ts';

/** A workflow whose only step, on the task queue `lead`, may take an hour. */
export async function longStep(): Promise<void> {
  const { hold } = proxyActivities<{ hold: () => Promise<void> }>({
    taskQueue: TASK_QUEUES.lead,
    startToCloseTimeout: '1 hour',
  });
  await hold();
}
