import type { Pool } from 'pg';

/** Rows deleted by one statement: short locks, and nothing to undo when it is cut. */
const BATCH = 1_000;

/**
 * Deletes idempotency keys that have expired; one that a request just takes over is left alone.
 * @returns how many were deleted
 */
export async function sweepIdempotencyKeys(pool: Pool, signal?: AbortSignal): Promise<number> {
  let swept = 0;
  for (;;) {
    const { rowCount } = await pool.query(
      `WITH expired AS MATERIALIZED (
         SELECT organization_id, key FROM idempotency_key WHERE expires_at <= now()
         ORDER BY expires_at FOR UPDATE SKIP LOCKED LIMIT $1)
       DELETE FROM idempotency_key USING expired
       WHERE idempotency_key.organization_id = expired.organization_id AND idempotency_key.key = expired.key`,
      [BATCH],
    );
    swept += rowCount ?? 0;
    if ((rowCount ?? 0) < BATCH || signal?.aborted) return swept;
  }
}
