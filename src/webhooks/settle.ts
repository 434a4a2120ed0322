import type { Pool } from 'pg';
import { withTransaction } from '../db/transaction.ts';
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
 * Writes what came of some attempts, in one transaction: each attempt, what the endpoint did not take, how it stands, and
 * the place in the feed up to which it was told, unless somebody has moved that meanwhile.
 */
export async function settle(
  pool: Pool,
  { endpoint, position }: Turn,
  sent: readonly Sent[],
  standing: Standing,
  next: Position,
): Promise<void> {
  const { id, organizationId } = endpoint;
  await withTransaction(pool, async (tx) => {
    const { rowCount } = await tx.query(
      `UPDATE webhook_endpoint SET failures = $2, failing_since = $3,
         next_at = clock_timestamp() + $4 * interval '1 millisecond',
         xid = CASE WHEN (xid, seq) = ($5::xid8, $6::bigint) THEN $7::xid8 ELSE xid END,
         seq = CASE WHEN (xid, seq) = ($5::xid8, $6::bigint) THEN $8::bigint ELSE seq END
       WHERE id = $1`,
      [id, standing.failures, standing.failingSince, standing.waitMs, ...numbersOf(position), ...numbersOf(next)],
    );
    if (rowCount === 0 || sent.length === 0) return; // somebody has deleted it
    await tx.query(
      `INSERT INTO webhook_attempt
         (endpoint_id, organization_id, at, event_id, type, attempt, status, error, duration_ms, lead_id, event_at, event_seq)
       SELECT $1, $2, a.* FROM unnest($3::timestamptz[], $4::uuid[], $5::text[], $6::int[], $7::int[], $8::text[], $9::int[],
                                      $10::uuid[], $11::timestamptz[], $12::bigint[]) AS a
       ON CONFLICT DO NOTHING`,
      [
        id,
        organizationId,
        sent.map(({ outcome }) => outcome.at),
        sent.map(({ due }) => due.message.id),
        sent.map(({ due }) => due.type),
        sent.map(({ due }) => due.attempts + 1),
        sent.map(({ outcome }) => outcome.status),
        sent.map(({ outcome }) => outcome.error),
        sent.map(({ outcome }) => outcome.durationMs),
        sent.map(({ due }) => due.entry?.leadId),
        sent.map(({ due }) => due.entry?.at),
        sent.map(({ due }) => due.entry?.seq.toString()),
      ],
    );
    const taken = sent.filter(({ due, outcome }) => due.position === undefined && isTaken(outcome));
    if (taken.length > 0) {
      const ids = taken.map(({ due }) => due.message.id);
      await tx.query('DELETE FROM webhook_delivery WHERE endpoint_id = $1 AND event_id = ANY ($2::uuid[])', [id, ids]);
    }
    for (const { due, outcome } of sent) {
      if (isTaken(outcome)) continue;
      const attempts = due.attempts + 1;
      const since = due.since ?? outcome.at;
      const delayMs = Math.max(eventDelay(attempts), outcome.retryAfterMs ?? 0);
      const isOver = Date.now() - since.getTime() > GIVE_UP_AFTER_MS;
      await tx.query(
        `INSERT INTO webhook_delivery AS d
           (endpoint_id, event_id, organization_id, type, lead_id, event_at, event_seq, attempts, since, next_at, failed_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, clock_timestamp() + $10 * interval '1 millisecond',
                 CASE WHEN $11 THEN clock_timestamp() END)
         ON CONFLICT (endpoint_id, event_id) DO UPDATE
           SET attempts = EXCLUDED.attempts, next_at = EXCLUDED.next_at, failed_at = EXCLUDED.failed_at`,
        [
          ...[id, due.message.id, organizationId, due.type],
          ...[due.entry?.leadId, due.entry?.at, due.entry?.seq.toString()],
          ...[attempts, since, delayMs, isOver],
        ],
      );
    }
  });
}

const numbersOf = ({ xid, seq }: Position) => [xid.toString(), seq.toString()];
