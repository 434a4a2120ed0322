import { setTimeout as sleep } from 'node:timers/promises';
import type { WorkflowHandle } from '@temporalio/client';
import { expect } from 'vitest';
import type { Tally } from '../../src/reconciler/verdicts.ts';
import { type ReconcilerDependencies, reconcileWatched } from '../../src/reconciler/watches.ts';
import type { TestDatabase } from './database.ts';
import { recordLog } from './log.ts';
import { createTestClient, patiently } from './temporal.ts';

const client = createTestClient();
/** Times are kept in milliseconds, rounded: what has just changed may lie in the future. */
const ROUNDING_MS = 5;

/** One pass on a test's database and the real Temporal; again, where a busy machine took longer to answer than a call may. */
export async function reconcilerPass(
  { pool, prisma }: TestDatabase,
  change: Partial<ReconcilerDependencies> = {},
): Promise<Tally> {
  await sleep(ROUNDING_MS);
  const { log } = recordLog();
  const wakeRelay = () => undefined;
  const deps = { pool, prisma, client, log, patienceMs: 0, enrichmentDelayMs: 50, wakeRelay };
  let passes = 0;
  return patiently(async () => {
    if (passes > 0) await pool.query('UPDATE watch SET look_after = since'); // a pass that failed has claimed them
    passes += 1;
    return reconcileWatched({ ...deps, ...change });
  });
}

/** Ends a run, as an operator does, and waits until visibility knows. */
export async function loseRun(handle: WorkflowHandle): Promise<void> {
  await handle.terminate('by the test');
  await untilEnded(handle.workflowId);
}

/** Waits until visibility knows that a run has ended: before, a pass believes that it is under way. */
export async function untilEnded(workflowId: string): Promise<void> {
  const query = `WorkflowId = '${workflowId}' AND ExecutionStatus != 'Running'`;
  await expect.poll(async () => (await client.workflow.count(query)).count).toBeGreaterThan(0);
}

/** Waits until visibility knows that runs are under way: before, each is asked for itself. */
export async function untilRunning(workflowIds: string[]): Promise<void> {
  const query = `ExecutionStatus = 'Running' AND WorkflowId IN (${workflowIds.map((id) => `'${id}'`).join()})`;
  await expect.poll(async () => (await client.workflow.count(query)).count).toBe(workflowIds.length);
}
