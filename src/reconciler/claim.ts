import type { Pool } from 'pg';

/** Something of a lead that is to come to an end and stands still. */
export interface WatchedRun {
  leadId: string;
  organizationId: string;
  /** `onboarding`, `assignment-<number>` or `enrichment-<run>` */
  run: string;
  /** That the lead's onboarding is in. */
  round: number;
  /** Whether an order to start it is in the outbox, where relays have it. */
  ordered: boolean;
  /** Whether it is watched for longer than runs usually take. */
  long: boolean;
}

/** For which what was claimed is nobody else's: its judges may die. */
const LEASE_S = 60;

/**
 * Claims what has stood still since `before`, that which has waited longest first. Other relays take the next ones.
 */
export async function claimWatched(
  pool: Pool,
  { before, limit }: { before: Date; limit: number },
): Promise<WatchedRun[]> {
  const { rows } = await pool.query<WatchedRun>({
    name: 'claim_watched',
    text: `
    WITH due AS (SELECT lead_id, run FROM watch WHERE look_after < $1 ORDER BY look_after LIMIT $2 FOR UPDATE SKIP LOCKED)
    UPDATE watch w SET look_after = clock_timestamp() + ${LEASE_S} * interval '1 second'
    FROM due JOIN onboarding o USING (lead_id)
    WHERE w.lead_id = due.lead_id AND w.run = due.run
    RETURNING w.lead_id AS "leadId", w.organization_id AS "organizationId", w.run, o.round,
      EXISTS (SELECT FROM outbox WHERE outbox.lead_id = w.lead_id AND status = 'PENDING'
              AND kind = CASE WHEN w.run = 'onboarding' THEN 'START_ONBOARDING'::outbox_kind
                              WHEN w.run LIKE 'assignment-%' THEN 'NOTIFY_ASSIGNEE' ELSE 'ENRICH_LEAD' END) AS ordered,
      w.since < clock_timestamp() - interval '1 hour' AS long`,
    values: [before, limit],
  });
  return rows;
}

/** Lets go of what was claimed: the longer it has been under way, the longer it is left alone, an hour in the end. */
export async function lookLater(pool: Pool, runs: readonly WatchedRun[]): Promise<void> {
  await pool.query({
    name: 'look_later',
    text: `
    UPDATE watch w SET look_after = clock_timestamp() + least(clock_timestamp() - since, interval '1 hour')
    FROM unnest($1::uuid[], $2::text[]) AS seen(lead_id, run)
    WHERE w.lead_id = seen.lead_id AND w.run = seen.run`,
    values: [runs.map(({ leadId }) => leadId), runs.map(({ run }) => run)],
  });
}
