import type { TestDatabase } from '../../support/database.ts';
import { takeIn } from '../../support/onboarding.ts';

/** Makes leads, and all that was written about them, as old as if they had come that many days ago. */
export async function age({ pool }: TestDatabase, leadIds: string[], days: number): Promise<void> {
  const client = await pool.connect();
  try {
    await client.query('BEGIN');
    await client.query('SET LOCAL session_replication_role = replica'); // else the change would count as one of today
    const back = `- $2 * interval '1 day'`;
    await client.query(
      `UPDATE lead SET created_at = created_at ${back}, updated_at = updated_at ${back}, active_at = active_at ${back} WHERE id = ANY($1)`,
      [leadIds, days],
    );
    await client.query(`UPDATE lead_event SET at = at ${back} WHERE lead_id = ANY($1)`, [leadIds, days]);
    await client.query('COMMIT');
  } finally {
    client.release();
  }
}

/** Takes leads in, that many days ago. @returns their ids, the oldest first */
export async function takeInOld(database: TestDatabase, count: number, days: number): Promise<string[]> {
  const leadIds: string[] = [];
  for (let i = 0; i < count; i += 1) leadIds.push((await takeIn(database)).leadId);
  await age(database, leadIds, days);
  return leadIds;
}
