import type { Pool } from 'pg';

/** How long a relay that took a row has it to itself: longer than a call to Temporal can last. */
const LEASE_MS = 30_000;

/** A row as it was found: whether it is an order that can be carried out is for its reader to check. */
export interface ClaimedRow {
  id: string;
  kind: string;
  leadId: string;
  organizationId: string;
  payload: unknown;
  attempts: number;
}

/**
 * Takes up to `limit` rows that are due, the oldest first. Copies of the relay never take the same row;
 * one that dies loses its rows to the others when the lease ends.
 */
export async function claimOrders(pool: Pool, limit: number): Promise<ClaimedRow[]> {
  const { rows } = await pool.query<ClaimedRow>(
    `UPDATE outbox SET attempts = attempts + 1, available_at = clock_timestamp() + $2 * interval '1 millisecond'
     WHERE id IN (SELECT id FROM outbox WHERE status = 'PENDING' AND available_at <= now()
                  ORDER BY available_at FOR UPDATE SKIP LOCKED LIMIT $1)
     RETURNING id, kind, lead_id AS "leadId", organization_id AS "organizationId", payload, attempts`,
    [limit, LEASE_MS],
  );
  return rows;
}

/** Removes orders that Temporal has taken. */
export async function completeOrder(pool: Pool, id: string): Promise<void> {
  await pool.query({ name: 'complete_order', text: 'DELETE FROM outbox WHERE id = $1', values: [id] });
}

/** Gives an order back, to be taken again after `delayMs`. */
export async function deferOrder(pool: Pool, id: string, reason: string, delayMs: number): Promise<void> {
  await pool.query(
    `UPDATE outbox SET available_at = clock_timestamp() + $3 * interval '1 millisecond', last_error = $2 WHERE id = $1`,
    [id, reason, delayMs],
  );
}

/** Puts an order aside that no repetition can carry out; operators find it, with its reason, by its status. */
export async function buryOrder(pool: Pool, id: string, reason: string): Promise<void> {
  await pool.query(`UPDATE outbox SET status = 'DEAD', last_error = $2 WHERE id = $1`, [id, reason]);
}
