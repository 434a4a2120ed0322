import type { Pool } from 'pg';

/**
 * How long a relay that took a row has it to itself: longer than a call to Temporal (5 s) and the note of what came of
 * it (5 s with a database that is down) can last.
 */
const LEASE_MS = 20_000;

/**
 * Who may write down what came of a row: each claim counts `attempts` up, so that a process whose claim has run out,
 * because it was frozen, no longer touches the row. The process that wrote a row holds it as attempt 0.
 */
export interface Claim {
  id: string;
  attempts: number;
}

/** A row as it was found: whether it is an order that can be carried out is for its reader to check. */
export interface ClaimedRow extends Claim {
  kind: string;
  leadId: string | null;
  organizationId: string | null;
  payload: unknown;
  /** What came of the claim before. */
  lastError: string | null;
}

/**
 * Takes up to `limit` rows that are due, the oldest first. Copies of the relay never take the same row;
 * one that dies loses its rows to the others when the lease ends.
 */
export async function claimOrders(pool: Pool, limit: number): Promise<ClaimedRow[]> {
  const { rows } = await pool.query<ClaimedRow>(
    `WITH due AS MATERIALIZED (
       SELECT id FROM outbox WHERE status = 'PENDING' AND available_at <= now()
       ORDER BY available_at FOR UPDATE SKIP LOCKED LIMIT $1)
     UPDATE outbox SET attempts = attempts + 1, available_at = clock_timestamp() + $2 * interval '1 millisecond'
     FROM due WHERE outbox.id = due.id
     RETURNING outbox.id, kind, lead_id AS "leadId", organization_id AS "organizationId", payload, attempts,
               last_error AS "lastError"`,
    [limit, LEASE_MS],
  );
  return rows;
}

/** Removes an order that Temporal has taken. */
export async function completeOrder(pool: Pool, { id, attempts }: Claim): Promise<void> {
  const text = 'DELETE FROM outbox WHERE id = $1 AND attempts = $2';
  await pool.query({ name: 'complete_order', text, values: [id, attempts] });
}

/** Gives an order back, to be taken again after `delayMs`. */
export async function deferOrder(pool: Pool, { id, attempts }: Claim, reason: string, delayMs: number): Promise<void> {
  await pool.query(
    `UPDATE outbox SET available_at = clock_timestamp() + $4 * interval '1 millisecond', last_error = $3
     WHERE id = $1 AND attempts = $2`,
    [id, attempts, reason, delayMs],
  );
}

/** Puts an order aside that no repetition can carry out; operators find it, with its reason, by its status. */
export async function buryOrder(pool: Pool, { id, attempts }: Claim, reason: string): Promise<void> {
  const text = `UPDATE outbox SET status = 'DEAD', last_error = $3 WHERE id = $1 AND attempts = $2`;
  await pool.query(text, [id, attempts, reason]);
}

/** Says whether a round of a lead's onboarding goes on, so that there is a run of it, or is to be. */
export async function isUnderWay(pool: Pool, leadId: string, round: number): Promise<boolean> {
  const text = `SELECT FROM onboarding WHERE lead_id = $1 AND round = $2 AND state IN ('PENDING', 'RUNNING')`;
  const { rowCount } = await pool.query(text, [leadId, round]);
  return rowCount === 1;
}
