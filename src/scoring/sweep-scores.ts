import type { Pool } from 'pg';

/** Scores of a lead that are kept: as many as are told. */
export const KEPT_SCORES = 50;
/** Leads that one statement looks at, and scores of each that it deletes. */
const LEADS = 200;
const SCORES = 50;
/** Statements of one pass: what it costs does not grow with the number of leads. */
const STEPS = 25;

const BEFORE_ALL = '00000000-0000-0000-0000-000000000000';

/** Goes from lead to lead in the index of their scores; rows that somebody else just deletes are left to them. */
const SWEEP = `
  WITH RECURSIVE walk AS (
    (SELECT lead_id, 1 AS n FROM score WHERE lead_id > $1::uuid ORDER BY lead_id LIMIT 1)
    UNION ALL
    SELECT next.lead_id, n + 1 FROM walk CROSS JOIN LATERAL (
      SELECT s.lead_id FROM score s WHERE s.lead_id > walk.lead_id ORDER BY s.lead_id LIMIT 1) AS next
    WHERE n < $2::int),
  old AS MATERIALIZED (
    SELECT found.id FROM walk CROSS JOIN LATERAL (
      SELECT s.id FROM score s WHERE s.lead_id = walk.lead_id
      ORDER BY s.at DESC, s.id DESC OFFSET $3::int LIMIT $4::int) AS found),
  doomed AS MATERIALIZED (SELECT score.id FROM score JOIN old USING (id) FOR UPDATE OF score SKIP LOCKED),
  gone AS (DELETE FROM score USING doomed WHERE score.id = doomed.id RETURNING 1)
  SELECT (SELECT count(*)::int FROM gone) AS deleted, (SELECT count(*)::int FROM walk) AS leads,
         (SELECT lead_id FROM walk ORDER BY n DESC LIMIT 1) AS last`;

interface Step {
  deleted: number;
  leads: number;
  last: string | null;
}

/**
 * Makes a sweeper that keeps the newest scores of each lead, of which the newest is the one in force. A pass looks at so
 * many leads; the next goes on where it ended, and after the last lead begins anew.
 * @returns one pass, which answers how many scores were deleted
 */
export function scoreSweeper(pool: Pool): (signal?: AbortSignal) => Promise<number> {
  let after = BEFORE_ALL;
  return async (signal) => {
    let deleted = 0;
    for (let step = 0; step < STEPS && !signal?.aborted; step += 1) {
      const { rows } = await pool.query<Step>(SWEEP, [after, LEADS, KEPT_SCORES, SCORES]);
      const [found] = rows;
      deleted += found?.deleted ?? 0;
      const isEnd = (found?.leads ?? 0) < LEADS;
      after = isEnd ? BEFORE_ALL : (found?.last ?? BEFORE_ALL);
      if (isEnd) break;
    }
    return deleted;
  };
}
