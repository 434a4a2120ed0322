import type { Pool } from 'pg';

/** Rows deleted by one statement: short locks, and nothing to undo when it is cut. */
const BATCH = 1_000;

/**
 * Repeats a statement that deletes at most `$1` rows until there are none left, or the signal aborts.
 * @returns how many rows were deleted
 */
export async function deleteInBatches(pool: Pool, statement: string, signal?: AbortSignal): Promise<number> {
  let deleted = 0;
  for (;;) {
    const { rowCount } = await pool.query(statement, [BATCH]);
    deleted += rowCount ?? 0;
    if ((rowCount ?? 0) < BATCH || signal?.aborted) return deleted;
  }
}
