import { type Client, type WorkflowExecutionStatusName, WorkflowNotFoundError } from '@temporalio/client';
import { withDeadline } from '../temporal/connection.ts';

/** The latest run of a workflow id; `MISSING` when Temporal does not know one. */
export interface LatestRun {
  status: WorkflowExecutionStatusName | 'MISSING';
  /** Of the onboarding that it is a run of. */
  round: number;
}

const ENDED: LatestRun['status'][] = ['MISSING', 'COMPLETED', 'FAILED', 'CANCELLED', 'TERMINATED', 'TIMED_OUT'];

/** @throws the client's error when Temporal does not say */
export async function latestRun(client: Client, workflowId: string): Promise<LatestRun> {
  try {
    const { status, memo } = await withDeadline(client, () => client.workflow.getHandle(workflowId).describe());
    return { status: status.name, round: Number(memo?.['round'] ?? 1) };
  } catch (err) {
    if (err instanceof WorkflowNotFoundError) return { status: 'MISSING', round: 0 };
    throw err;
  }
}

/**
 * Asks for many runs at once, by Temporal's visibility store. That may lag behind, and be lost apart from the runs: who
 * is not among them is to be asked for by `latestRun`, and so is once in a while who is.
 * @returns the workflow ids that it says are running
 * @throws the client's error when Temporal does not say
 */
export async function runningAmong(client: Client, workflowIds: readonly string[]): Promise<Set<string>> {
  if (workflowIds.length === 0) return new Set();
  const quoted = workflowIds.map((id) => `'${id}'`);
  const { executions } = await withDeadline(client, () =>
    client.workflowService.listWorkflowExecutions({
      namespace: client.options.namespace,
      pageSize: workflowIds.length,
      query: `ExecutionStatus = 'Running' AND WorkflowId IN (${quoted.join(', ')})`,
    }),
  );
  return new Set(executions.map(({ execution }) => execution?.workflowId ?? ''));
}

/** Says whether nothing will come of the run any more. */
export const hasEnded = ({ status }: LatestRun): boolean => ENDED.includes(status);
