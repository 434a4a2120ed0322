import type { Pool } from 'pg';
import { deleteInBatches } from '../../db/delete-in-batches.ts';

const BUDGET_DAYS = 7;

const DELETE_EXPIRED = `
  WITH expired AS MATERIALIZED (
    SELECT organization_id, provider, key_hash FROM enrichment_cache WHERE expires_at <= now()
    ORDER BY expires_at FOR UPDATE SKIP LOCKED LIMIT $1)
  DELETE FROM enrichment_cache c USING expired e
  WHERE c.organization_id = e.organization_id AND c.provider = e.provider AND c.key_hash = e.key_hash`;

/**
 * Deletes answers that are too old to be given, and what was used of budgets of days gone by.
 * @returns how many rows were deleted
 */
export async function sweepEnrichment(pool: Pool, signal?: AbortSignal): Promise<number> {
  const { rowCount: budgets } = await pool.query(
    `DELETE FROM enrichment_budget WHERE day < (now() AT TIME ZONE 'utc')::date - $1::int`,
    [BUDGET_DAYS],
  );
  return (budgets ?? 0) + (await deleteInBatches(pool, DELETE_EXPIRED, signal));
}
