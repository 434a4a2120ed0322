import type { Pool } from 'pg';

/**
 * Of an endpoint `w`, with `settled`, up to where the feed has come: whether there is something for it. An event of its
 * organization after the place that it has come to, or one that was set aside and is due.
 */
export const HAS_NEWS = `
  (EXISTS (SELECT FROM webhook_delivery d
           WHERE d.endpoint_id = w.id AND d.failed_at IS NULL AND d.next_at <= clock_timestamp())
   OR w.organization_id IS NOT NULL AND EXISTS (
        SELECT FROM lead_event e WHERE e.organization_id = w.organization_id
          AND (e.xid, e.seq) > (w.xid, w.seq) AND e.xid < settled)
   OR w.organization_id IS NULL AND EXISTS (
        SELECT FROM lead_event e WHERE e.type = 'notification.created'
          AND (e.xid, e.seq) > (w.xid, w.seq) AND e.xid < settled))`;

/** Whether there is something for one endpoint now, or somebody has paused or deleted it. */
export async function hasNews(pool: Pool, endpointId: string): Promise<boolean> {
  const { rows } = await pool.query<{ news: boolean }>({
    name: 'webhook_news',
    text: `SELECT w.paused IS NOT NULL OR ${HAS_NEWS} AS news
           FROM webhook_endpoint w, pg_snapshot_xmin(pg_current_snapshot()) AS settled WHERE w.id = $1`,
    values: [endpointId],
  });
  return rows[0]?.news ?? true;
}
