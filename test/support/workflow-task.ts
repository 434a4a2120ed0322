import type { Client } from '@temporalio/client';
import { PATIENCE_MS } from './patience.ts';

type Respond = Client['workflowService']['respondWorkflowTaskCompleted'];
export type Command = NonNullable<Parameters<Respond>[0]['commands']>[number];

/** As Temporal's `CommandType` numbers them. */
export const COMMAND_TYPES = { startTimer: 3, cancelWorkflowExecution: 7 } as const;

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
