import type { Pool } from 'pg';

/** A lead whose onboarding is not over. */
export interface UnfinishedLead {
  leadId: string;
  organizationId: string;
  round: number;
  /** Whether the order to start it is in the outbox, where relays have it. */
  ordered: boolean;
}

/** Unfinished leads that are to be looked at since `before`, those that have waited longest first. */
export async function unfinishedLeads(
  pool: Pool,
  { before, limit }: { before: Date; limit: number },
): Promise<UnfinishedLead[]> {
  const { rows } = await pool.query<UnfinishedLead>(
    `SELECT id AS "leadId", organization_id AS "organizationId", onboarding_round AS round,
            EXISTS (SELECT 1 FROM outbox
                    WHERE lead_id = lead.id AND kind = 'START_ONBOARDING' AND status = 'PENDING') AS ordered
     FROM lead WHERE onboarding_state IN ('PENDING', 'RUNNING') AND reconcile_after < $1
     ORDER BY reconcile_after LIMIT $2`,
    [before, limit],
  );
  return rows;
}

/**
 * Notes that leads were looked at. The longer a lead has not changed, the longer it is left alone: it is looked at in
 * doubling distances, and once an hour in the end.
 */
export async function lookLater(pool: Pool, leadIds: string[]): Promise<void> {
  await pool.query(
    `UPDATE lead SET reconcile_after = clock_timestamp() + least(clock_timestamp() - updated_at, interval '1 hour')
     WHERE id IN (SELECT id FROM lead WHERE id = ANY($1) ORDER BY id FOR UPDATE SKIP LOCKED)`,
    [leadIds],
  );
}
