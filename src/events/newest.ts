import type { Pool } from 'pg';

/** How far the feeds of these organizations have come: of each that has an event the cursor of the newest. */
export async function newestEvents(
  pool: Pool,
  organizationIds: readonly string[],
): Promise<{ organizationId: string; cursor: string }[]> {
  const { rows } = await pool.query<{ organizationId: string; cursor: string }>({
    name: 'newest_events',
    text: `SELECT o AS "organizationId", e.xid || '-' || e.seq AS cursor
           FROM unnest($1::text[]) AS o,
                LATERAL (SELECT xid, seq FROM lead_event
                         WHERE organization_id = o AND xid < pg_snapshot_xmin(pg_current_snapshot())
                         ORDER BY xid DESC, seq DESC LIMIT 1) AS e`,
    values: [organizationIds],
  });
  return rows;
}
