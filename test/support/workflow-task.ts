import type { Client } from '@temporalio/client';
import { PATIENCE_MS } from './patience.ts';

type Respond = Client['workflowService']['respondWorkflowTaskCompleted'];
export type Command = NonNullable<Parameters<Respond>[0]['commands']>[number];

/** Ends the run as canceled. */
export const CANCEL: Command = {
  commandType: 7, // COMMAND_TYPE_CANCEL_WORKFLOW_EXECUTION
  cancelWorkflowExecutionCommandAttributes: {},
};

/** Begins a timer of an hour. */
export const START_TIMER: Command = {
  commandType: 3, // COMMAND_TYPE_START_TIMER
  startTimerCommandAttributes: { timerId: '1', startToFireTimeout: { seconds: 3_600 as never } },
};

/** Ends that timer. */
export const CANCEL_TIMER: Command = {
  commandType: 6, // COMMAND_TYPE_CANCEL_TIMER
  cancelTimerCommandAttributes: { timerId: '1' },
};

/** Answers the next workflow task of a run in the place of a worker: with these commands, or with nothing at all. */
export async function answerWorkflowTask(
  client: Client,
  { taskQueue, workflowId }: { taskQueue: string; workflowId: string },
  commands: Command[],
): Promise<void> {
  const { namespace } = client.options;
  const poll = () => client.workflowService.pollWorkflowTaskQueue({ namespace, taskQueue: { name: taskQueue } });
  for (;;) {
    const { taskToken, workflowExecution } = await client.withDeadline(Date.now() + PATIENCE_MS, poll);
    if (workflowExecution?.workflowId !== workflowId) continue;
    await client.workflowService.respondWorkflowTaskCompleted({ namespace, taskToken, commands });
    return;
  }
}
