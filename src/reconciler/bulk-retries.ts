import type { Pool } from 'pg';
import { uuidv7 } from 'uuidv7';
import { bulkRetryWorkflowId } from '../../workflows/retry-contract.ts';
import { cancelBulkRetry, lockBulkRetry, orderFor } from '../failures/bulk-retry.ts';
import { placeOrder } from '../outbox/place-order.ts';
import { hasEnded, latestRun, type LatestRun } from './latest-run.ts';
import type { ReconcilerDependencies } from './watches.ts';

/**
 * Looks at the bulk retry that is to go on and stands still, of which there is one at most. When its run is missing, or
 * has ended without Postgres knowing, it is ordered again and goes on where it was; one that an operator has canceled in
 * Temporal is canceled, and ordered again for what is under way. A paused one needs nothing.
 * @returns how many were ordered again
 * @throws the client's or the database's error: the next pass tries again
 */
export async function reconcileBulkRetries(deps: ReconcilerDependencies): Promise<number> {
  const id = await standingStill(deps.pool, deps.patienceMs);
  if (id === undefined) return 0;
  const run = await latestRun(deps.client, bulkRetryWorkflowId(id));
  if (!hasEnded(run) || !(await mend(deps, id, run))) return 0;
  deps.wakeRelay();
  return 1;
}

/** One that has an order already is the relay's. */
async function standingStill(pool: Pool, patienceMs: number): Promise<string | undefined> {
  const { rows } = await pool.query<{ id: string }>(
    `SELECT id FROM bulk_retry r
     WHERE finished_at IS NULL AND state <> 'PAUSED'
       AND updated_at < clock_timestamp() - $1 * interval '1 millisecond'
       AND NOT EXISTS (SELECT 1 FROM outbox WHERE kind = 'RETRY_LEADS' AND payload ->> 'retryId' = r.id::text)
     ORDER BY updated_at LIMIT 1`,
    [patienceMs],
  );
  return rows[0]?.id;
}

/** @returns false when it has gone on, or ended, meanwhile */
function mend({ prisma, log }: ReconcilerDependencies, id: string, run: LatestRun): Promise<boolean> {
  const requestId = `reconciler-${uuidv7()}`;
  return prisma.$transaction(async (tx) => {
    const retry = await lockBulkRetry(tx, id);
    if (!retry || retry.finishedAt || retry.state === 'PAUSED') return false;
    if (run.status === 'CANCELLED') await cancelBulkRetry(tx, id);
    await placeOrder(tx, orderFor(retry, requestId));
    log.warn({ retryId: id, run: run.status, requestId }, 'bulk retry stood still: ordered again');
    return true;
  });
}
