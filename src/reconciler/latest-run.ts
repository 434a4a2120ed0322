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
    if (err instanceof WorkflowNotFoundError) return MISSING;
    throw err;
  }
}

/**
 * Asks for many runs at once, by Temporal's visibility store, which may lag behind and be lost apart from the runs.
 * @returns the workflow ids that it knows, and whether a run of theirs is under way
 * @throws the client's error when Temporal does not say
 */
export async function knownAmong(client: Client, workflowIds: readonly string[]): Promise<Map<string, boolean>> {
  const known = new Map<string, boolean>();
  if (workflowIds.length === 0) return known;
  const query = `WorkflowId IN (${workflowIds.map((id) => `'${id}'`).join(', ')})`;
  await withDeadline(client, async () => {
    for await (const { workflowId, status } of client.workflow.list({ query, pageSize: 1_000 }))
      known.set(workflowId, status.name === 'RUNNING' || known.get(workflowId) === true);
  });
  return known;
}

/** What is known of a run that there is not. */
export const MISSING: LatestRun = { status: 'MISSING', round: 0 };

/** Says whether nothing will come of the run any more. */
export const hasEnded = ({ status }: LatestRun): boolean => ENDED.includes(status);
