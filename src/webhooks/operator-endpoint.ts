import type { Pool } from 'pg';
import { withTransaction } from '../db/transaction.ts';

/** Of the one endpoint that is the operator's. */
const OPERATOR_ENDPOINT = '00000000-0000-7000-8000-000000000001';

/**
 * Has an endpoint for `NOTIFICATION_WEBHOOK_URL`, as long as that is set: it is told of the notifications of all
 * organizations. A database whose notifications were delivered by their own step before this was there goes on with those
 * of the last three days that were not.
 */
export async function keepOperatorEndpoint(
  pool: Pool,
  webhook: { url: string; secret: string } | undefined,
): Promise<void> {
  if (!webhook) return void (await pool.query('DELETE FROM webhook_endpoint WHERE id = $1', [OPERATOR_ENDPOINT]));
  await withTransaction(pool, async (tx) => {
    const { rows } = await tx.query<{ isNew: boolean }>(
      `INSERT INTO webhook_endpoint AS w (id, url, description, types, with_persons, secret)
       VALUES ($1, $2, 'NOTIFICATION_WEBHOOK_URL', '{notification.created}', true, $3)
       ON CONFLICT (id) DO UPDATE
         SET url = EXCLUDED.url, secret = EXCLUDED.secret, updated_at = clock_timestamp(),
             paused = CASE WHEN w.url = EXCLUDED.url THEN w.paused END
       RETURNING xmax = 0 AS "isNew"`,
      [OPERATOR_ENDPOINT, webhook.url, webhook.secret],
    );
    if (!rows[0]?.isNew) return;
    await tx.query(
      `INSERT INTO webhook_delivery (endpoint_id, event_id, type)
       SELECT $1, n.id, 'notification.created' FROM notification n
       WHERE n.delivered_at IS NULL AND n.created_at > now() - interval '3 days'
         AND EXISTS (SELECT FROM notification d WHERE d.delivered_at IS NOT NULL)`,
      [OPERATOR_ENDPOINT],
    );
  });
}
