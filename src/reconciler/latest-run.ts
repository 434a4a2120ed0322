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

/** Says whether nothing will come of the run any more. */
export const hasEnded = ({ status }: LatestRun): boolean => ENDED.includes(status);
