import type { Pool } from 'pg';
import type { Position } from '../events/position.ts';
import { eventDelay, endpointDelay, granted, IN_TROUBLE } from './back-off.ts';
import type { Due } from './due.ts';
import { GIVE_UP_AFTER_MS } from './limits.ts';
import { isGone, isTaken, type Outcome } from './send.ts';
import type { Turn } from './turn.ts';

/** A message that was sent, and what came of it. */
export interface Sent {
  due: Due;
  outcome: Outcome;
}

/** How an endpoint stands after some attempts. */
export interface Standing {
  /** In a row. */
  failures: number;
  failingSince: Date | null;
  /** Milliseconds until it is asked again. */
  waitMs: number;
}

/** How an endpoint stands after one more attempt. */
export function judge(before: Standing, outcome: Outcome): Standing {
  if (isTaken(outcome)) return { failures: 0, failingSince: null, waitMs: 0 };
  const failures = before.failures + 1;
  const asked = outcome.retryAfterMs === undefined ? 0 : granted(outcome.retryAfterMs);
  const waitMs = Math.max(asked, failures < IN_TROUBLE ? 0 : endpointDelay(failures));
  return { failures, failingSince: before.failingSince ?? outcome.at, waitMs };
}

/** Whether an endpoint is to be left in peace for good: it said so, or it has failed for days. */
export function pauseAfter({ failingSince }: Standing, last: Outcome | undefined): 'gone' | 'failing' | undefined {
  if (last && isGone(last)) return 'gone';
  const failsForMs = failingSince ? Date.now() - failingSince.getTime() : 0;
  return failsForMs > GIVE_UP_AFTER_MS ? 'failing' : undefined;
}

/**
 * Writes what came of some attempts: each attempt, what the endpoint did not take, how it stands, and
 * the place in the feed up to which it was told, unless somebody has moved that meanwhile.
 */
export async function settle(
  pool: Pool,
  { endpoint, position }: Turn,
  sent: readonly Sent[],
  standing: Standing,
  next: Position,
): Promise<void> {
  await pool.query({
    name: 'settle_webhooks',
    text: SETTLE,
    values: [
      ...[endpoint.id, standing.failures, standing.failingSince, standing.waitMs],
      ...[...numbersOf(position), ...numbersOf(next)],
      JSON.stringify(sent.map(toRow)),
    ],
  });
}

/** An attempt, and what follows from it for the event. */
function toRow({ due, outcome }: Sent) {
  const attempts = due.attempts + 1;
  const since = due.since ?? outcome.at;
  return {
    event_id: due.message.id,
    type: due.type,
    lead_id: due.entry?.leadId,
    event_at: due.entry?.at,
    event_seq: due.entry?.seq.toString(),
    at: outcome.at,
    attempt: attempts,
    status: outcome.status,
    error: outcome.error,
    duration_ms: outcome.durationMs,
    taken: isTaken(outcome),
    since,
    delay_ms: Math.max(eventDelay(attempts), outcome.retryAfterMs ?? 0),
    over: Date.now() - since.getTime() > GIVE_UP_AFTER_MS,
  };
}

/**
 * All of it is one statement, so that it is one transaction and one round trip. An endpoint that is no more has nothing.
 * What is to be told again since an attempt began is due as it was ordered, whatever came of that attempt.
 */
const SETTLE = `
  WITH endpoint AS (
    UPDATE webhook_endpoint SET failures = $2, failing_since = $3,
      next_at = clock_timestamp() + $4 * interval '1 millisecond',
      xid = CASE WHEN (xid, seq) = ($5::xid8, $6::bigint) THEN $7::xid8 ELSE xid END,
      seq = CASE WHEN (xid, seq) = ($5::xid8, $6::bigint) THEN $8::bigint ELSE seq END
    WHERE id = $1 RETURNING id, organization_id
  ), sent AS (
    SELECT e.id AS endpoint_id, e.organization_id, s.* FROM endpoint e, jsonb_to_recordset($9::jsonb) AS s (
      event_id uuid, type text, lead_id uuid, event_at timestamptz, event_seq bigint, at timestamptz, attempt integer,
      status integer, error text, duration_ms integer, taken boolean, since timestamptz, delay_ms double precision,
      over boolean)
  ), taken AS (
    DELETE FROM webhook_delivery d USING sent s
    WHERE d.endpoint_id = s.endpoint_id AND d.event_id = s.event_id AND s.taken AND d.since <= s.since
  ), aside AS (
    INSERT INTO webhook_delivery AS d
      (endpoint_id, event_id, organization_id, type, lead_id, event_at, event_seq, attempts, since, next_at, failed_at)
    SELECT s.endpoint_id, s.event_id, s.organization_id, s.type, s.lead_id, s.event_at, s.event_seq, s.attempt, s.since,
           clock_timestamp() + s.delay_ms * interval '1 millisecond', CASE WHEN s.over THEN clock_timestamp() END
    FROM sent s WHERE NOT s.taken
    ON CONFLICT (endpoint_id, event_id) DO UPDATE
      SET attempts = EXCLUDED.attempts, since = EXCLUDED.since, next_at = EXCLUDED.next_at, failed_at = EXCLUDED.failed_at
      WHERE d.since <= EXCLUDED.since
  )
  INSERT INTO webhook_attempt
    (endpoint_id, organization_id, at, event_id, type, attempt, status, error, duration_ms, lead_id, event_at, event_seq)
  SELECT s.endpoint_id, s.organization_id, s.at, s.event_id, s.type, s.attempt, s.status, s.error, s.duration_ms,
         s.lead_id, s.event_at, s.event_seq
  FROM sent s ON CONFLICT DO NOTHING`;

const numbersOf = ({ xid, seq }: Position) => [xid.toString(), seq.toString()];
