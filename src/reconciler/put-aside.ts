import type { Pool } from 'pg';
import type { Logger } from '../telemetry/logger.ts';

/** Orders named in the log; the rest is counted. */
const EXAMPLES = 10;

/** Reports the orders that cannot be carried out and wait for people. @returns how many there are */
export async function reportPutAside(pool: Pool, log: Logger): Promise<number> {
  const { rows } = await pool.query<{ leadId: string; kind: string; reason: string | null; total: number }>(
    `SELECT lead_id AS "leadId", kind, last_error AS reason, (count(*) OVER ())::int AS total
     FROM outbox WHERE status = 'DEAD' ORDER BY available_at LIMIT $1`,
    [EXAMPLES],
  );
  const total = rows[0]?.total ?? 0;
  const examples = rows.map(({ leadId, kind, reason }) => ({ leadId, kind, reason }));
  if (total > 0) log.error({ total, examples }, 'orders were put aside: mend or delete their rows in the outbox');
  return total;
}
