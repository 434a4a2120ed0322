import type { Pool } from 'pg';

const NOBODY = JSON.stringify({ leadId: '00000000-0000-0000-0000-000000000000' });

/**
 * Runs the steps on a lead that does not exist: to connect, and to read what the functions are made of, costs the first
 * lead some time otherwise.
 * @throws when the database does not answer, or has not all that the steps need
 */
export async function warmUp(pool: Pool): Promise<void> {
  await pool.query(
    "SELECT notify_assignee($1, '{}'), start_enrichment($1), keep_enrichment($1, NULL, '{}'), record_score($1, '{}', '{}')",
    [NOBODY],
  );
}
