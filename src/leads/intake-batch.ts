import type { Pool } from 'pg';
import type { Caller } from '../audit/caller.ts';
import { canonicalHash } from './canonical-hash.ts';
import { type Lead, toLead } from './lead.ts';
import type { IntakeSettings, OnDuplicate } from './intake-request.ts';
import { describeIntake, fromStored } from './intake-row.ts';
import type { Submission } from './submission.ts';

/** Leads of a batch. */
export const MAX_LEADS_OF_BATCH = 100;

export interface BatchRequest {
  organizationId: string;
  /** Each with the fields that the caller itself has named. */
  submissions: readonly { submission: Submission; stated: readonly string[] }[];
  onDuplicate: OnDuplicate;
  caller: Caller;
  idempotencyKey: string | undefined;
  /** All that the caller has sent, with null in the place of what is not valid, however deep that is. */
  sent: unknown;
}

/** What became of a submission. `gone`: the lead of an earlier, equal request was erased since. */
export type BatchOutcome = { outcome: 'created' | 'duplicate'; lead: Lead } | { outcome: 'gone' };

interface Answer {
  status: 'done' | 'replayed' | 'key_reused';
  results?: { outcome: BatchOutcome['outcome']; stored: Record<string, unknown> | null }[];
}

/**
 * Takes leads in as `intakeLead` does each of them, all in one statement: they are stored together or not at all. Their
 * orders are left to the relays.
 * @returns what became of each, in their order; `key_reused` when the idempotency key stands for another request
 * @throws pg errors: `55P03` when a request with the same idempotency key is still running.
 */
export async function intakeLeads(
  pool: Pool,
  settings: IntakeSettings,
  { organizationId, submissions, onDuplicate, caller, idempotencyKey, sent }: BatchRequest,
): Promise<{ replayed: boolean; outcomes: BatchOutcome[] } | 'key_reused'> {
  const items = submissions.map((item, place) => ({
    ...describeIntake(settings, { organizationId, caller, onDuplicate, ...item }).row,
    place,
  }));
  const batch = {
    items,
    shared: { organization_id: organizationId, metadata: caller, order_delay_ms: 0 },
    ...(idempotencyKey !== undefined && {
      idempotency_key: idempotencyKey,
      // The key is in it: of a batch of persons who are erased nobody can try what it said.
      request_hash: canonicalHash({ batch: sent, onDuplicate, idempotencyKey }),
      idempotency_ttl: `${settings.idempotencyTtlHours} hours`,
    }),
  };
  const { rows } = await pool.query<{ answer: Answer }>({
    name: 'intake_batch',
    text: 'SELECT intake_batch($1, $2) AS answer',
    values: [organizationId, JSON.stringify(batch)],
  });
  const { status, results = [] } = rows[0]?.answer ?? { status: 'key_reused' };
  if (status === 'key_reused') return status;
  const outcomes = results.map(({ outcome, stored }): BatchOutcome =>
    stored === null || outcome === 'gone' ? { outcome: 'gone' } : { outcome, lead: toLead(fromStored(stored)) },
  );
  return { replayed: status === 'replayed', outcomes };
}
