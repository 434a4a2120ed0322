import type { Pool } from 'pg';
import { deleteInBatches } from '../db/delete-in-batches.ts';

const DELETE_EXPIRED = `
  WITH expired AS MATERIALIZED (
    SELECT organization_id, key FROM idempotency_key WHERE expires_at <= now()
    ORDER BY expires_at FOR UPDATE SKIP LOCKED LIMIT $1)
  DELETE FROM idempotency_key USING expired
  WHERE idempotency_key.organization_id = expired.organization_id AND idempotency_key.key = expired.key`;

/**
 * Deletes idempotency keys that have expired; one that a request just takes over is left alone.
 * @returns how many were deleted
 */
export const sweepIdempotencyKeys = (pool: Pool, signal?: AbortSignal): Promise<number> =>
  deleteInBatches(pool, DELETE_EXPIRED, signal);
