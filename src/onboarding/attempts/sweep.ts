import type { Pool } from 'pg';
import { deleteInBatches } from '../../db/delete-in-batches.ts';

/**
 * Deletes attempts that ended so many days ago.
 * @returns how many
 */
export const sweepAttempts = (pool: Pool, days: number, signal?: AbortSignal): Promise<number> =>
  deleteInBatches(pool, deleteOlderThan(days), signal);

/** By their place in the table: no plan for it depends on its size. */
const deleteOlderThan = (days: number) => `
  DELETE FROM step_attempt WHERE ctid = ANY (ARRAY(
    SELECT ctid FROM step_attempt WHERE ended_at < now() - interval '${days} days'
    ORDER BY ended_at LIMIT $1 FOR UPDATE SKIP LOCKED))`;
