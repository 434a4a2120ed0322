import {
  type Client,
  type WorkflowExecutionDescription,
  type WorkflowExecutionStatusName,
  type WorkflowHandle,
  WorkflowNotFoundError,
} from '@temporalio/client';
import { withDeadline } from '../temporal/connection.ts';

/** The latest run of a workflow id; `MISSING` when Temporal does not know one. */
export interface LatestRun {
  status: WorkflowExecutionStatusName | 'MISSING';
  /** Of the onboarding that it is a run of. */
  round: number;
}

const ENDED: LatestRun['status'][] = ['MISSING', 'COMPLETED', 'FAILED', 'CANCELLED', 'TERMINATED', 'TIMED_OUT'];

/**
 * Looks at the latest run of a workflow id, and ends one that has nothing to wait for.
 * @throws the client's error when Temporal does not say
 */
export async function latestRun(client: Client, workflowId: string): Promise<LatestRun> {
  const handle = client.workflow.getHandle(workflowId);
  try {
    return await withDeadline(client, async () => {
      const described = await handle.describe();
      const round = Number(described.memo?.['round'] ?? 1);
      if (!(await standsStill(handle, described))) return { status: described.status.name, round };
      await client.workflow.getHandle(workflowId, described.runId).terminate('it had nothing to wait for');
      return { status: 'TERMINATED', round };
    });
  } catch (err) {
    if (err instanceof WorkflowNotFoundError) return MISSING;
    throw err;
  }
}

/**
 * Says whether nothing will ever move a run. Where Temporal's store goes back to an earlier state, a worker that remembers a
 * run as further on answers its task with nothing, and no activity, timer or task is left.
 */
async function standsStill(
  handle: WorkflowHandle,
  {
    status,
    historyLength,
    raw: { pendingActivities, pendingChildren, pendingWorkflowTask },
  }: WorkflowExecutionDescription,
): Promise<boolean> {
  const waits = pendingWorkflowTask || pendingActivities?.length || pendingChildren?.length;
  if (status.name !== 'RUNNING' || waits) return false;
  const events = (await handle.fetchHistory()).events ?? [];
  if (events.length !== historyLength) return false; // it has moved since it was described
  const timers = new Set<string | null | undefined>();
  for (const event of events) {
    timers.delete((event.timerFiredEventAttributes ?? event.timerCanceledEventAttributes)?.timerId);
    if (event.timerStartedEventAttributes) timers.add(event.timerStartedEventAttributes.timerId);
  }
  return timers.size === 0;
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
