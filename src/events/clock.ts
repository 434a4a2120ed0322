import type { Pool } from 'pg';

/** Events are given out for so long; on the timeline of their lead they stay. */
export const EVENT_DAYS = 30;

/** Notes how far the feed has come, once a minute, however many ask for it; and forgets what is too old to matter. */
export async function tickFeedClock(pool: Pool): Promise<void> {
  await pool.query(
    `INSERT INTO feed_clock (at, xid) VALUES (date_trunc('minute', now()), pg_snapshot_xmin(pg_current_snapshot()))
     ON CONFLICT DO NOTHING`,
  );
  await pool.query(`DELETE FROM feed_clock WHERE at < now() - interval '${EVENT_DAYS + 1} days'`);
}
