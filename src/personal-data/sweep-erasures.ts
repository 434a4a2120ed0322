import type { Pool, QueryResult } from 'pg';
import type { Logger } from '../telemetry/logger.ts';
import { BATCH } from './erase.ts';

/** Leads looked at in one pass. */
const LEADS = 100;

/**
 * Deletes what was left of erased leads, batch by batch. Any number of relays may do so; a lead that fails does not hold
 * up the others.
 * @returns how many leads are done with
 */
export async function sweepErasures(pool: Pool, log: Logger, signal: AbortSignal): Promise<number> {
  const { rows } = await pool.query<{ leadId: string }>(
    'SELECT lead_id AS "leadId" FROM erasure ORDER BY since LIMIT $1',
    [LEADS],
  );
  let done = 0;
  for (const { leadId } of rows) {
    try {
      if (await eraseLeftovers(pool, leadId, signal)) done += 1;
    } catch (err) {
      log.error({ leadId, err }, 'leftovers of an erased lead not deleted');
    }
  }
  return done;
}

/** Where a batch ended, in the order of a timeline. */
interface Place {
  at: string;
  seq: string;
}

/** @returns whether nothing is left: another relay may have some of it in hand */
async function eraseLeftovers(pool: Pool, leadId: string, signal: AbortSignal): Promise<boolean> {
  let after: Place | undefined = { at: '-infinity', seq: '0' };
  while (after) {
    if (signal.aborted) return false;
    const batch: QueryResult<Place> = await pool.query({
      name: 'erase_leftovers',
      text: 'SELECT at::text, seq FROM erase_leftovers($1, $2, $3, $4)',
      values: [leadId, BATCH, after.at, after.seq],
    });
    after = batch.rows[0];
  }
  const end = 'DELETE FROM erasure WHERE lead_id = $1 AND NOT has_leftovers(lead_id)';
  return (await pool.query(end, [leadId])).rowCount === 1;
}
