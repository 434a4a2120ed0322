import type { Pool } from 'pg';
import { uuidv7 } from 'uuidv7';
import { rescoreWorkflowId } from '../../workflows/rescore-contract.ts';
import { placeOrder } from '../outbox/place-order.ts';
import { lockRescore, orderFor } from '../scoring/rescore.ts';
import { hasEnded, latestRun, type LatestRun } from './latest-run.ts';
import type { ReconcilerDependencies } from './watches.ts';

/** Rescores looked at in a round: an organization has one under way at most. */
const LIMIT = 100;

/**
 * One pass over the rescores that are to go on and stand still. One whose run is missing (Temporal lost its store), or
 * has ended without Postgres knowing, is ordered again and goes on where it was; one that an operator has canceled in
 * Temporal is canceled. A paused one needs nothing: the command to resume it starts a run if there is none.
 * @returns how many were ordered again or canceled
 * @throws the client's or the database's error: the rest waits for the next pass
 */
export async function reconcileRescores(deps: ReconcilerDependencies): Promise<number> {
  let mended = 0;
  for (const id of await standingStill(deps.pool, deps.patienceMs)) {
    const run = await latestRun(deps.client, rescoreWorkflowId(id));
    if (hasEnded(run) && (await mend(deps, id, run))) mended += 1;
  }
  if (mended > 0) deps.wakeRelay();
  return mended;
}

/** Those that have an order already are the relay's. */
async function standingStill(pool: Pool, patienceMs: number): Promise<string[]> {
  const { rows } = await pool.query<{ id: string }>(
    `SELECT id FROM score_rescore r
     WHERE state = 'RUNNING' AND updated_at < clock_timestamp() - $1 * interval '1 millisecond'
       AND NOT EXISTS (SELECT 1 FROM outbox WHERE kind = 'RESCORE_LEADS' AND payload ->> 'rescoreId' = r.id::text)
     ORDER BY updated_at LIMIT $2`,
    [patienceMs, LIMIT],
  );
  return rows.map(({ id }) => id);
}

/** @returns false when it has gone on, or ended, meanwhile */
function mend({ prisma, log }: ReconcilerDependencies, id: string, run: LatestRun): Promise<boolean> {
  const requestId = `reconciler-${uuidv7()}`;
  return prisma.$transaction(async (tx) => {
    const rescore = await lockRescore(tx, id);
    if (rescore?.state !== 'RUNNING') return false;
    const canceled = run.status === 'CANCELLED';
    if (canceled) {
      await tx.$executeRaw`
        UPDATE score_rescore SET state = 'CANCELED', finished_at = clock_timestamp() WHERE id = ${id}::uuid`;
    } else {
      await placeOrder(tx, orderFor(rescore, requestId));
    }
    const { organizationId } = rescore;
    const line = { rescoreId: id, organizationId, run: run.status, requestId };
    log.warn(line, `rescore stood still: ${canceled ? 'canceled' : 'ordered again'}`);
    return true;
  });
}
