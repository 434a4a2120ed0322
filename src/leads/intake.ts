import type { Pool } from 'pg';
import type { StartOrder } from '../outbox/order.ts';
import { canonicalHash } from './canonical-hash.ts';
import { type TaggedLead, tagLead } from './etag.ts';
import type { IntakeRequest, IntakeSettings } from './intake-request.ts';
import { describeIntake, fromStored } from './intake-row.ts';

export type IntakeResult =
  | (TaggedLead & { outcome: 'created'; eventId: string; order: StartOrder })
  | (TaggedLead & { outcome: 'duplicate'; eventId: string })
  | (TaggedLead & { outcome: 'replayed'; duplicate: boolean })
  | { outcome: 'key_reused' }
  | { outcome: 'gone' };

/**
 * Takes a lead in: lead, `lead.created`, the order to onboard it and the idempotency key, in one statement.
 * A lead of the organization with the same e-mail is not doubled: what was sent becomes a touch on its timeline. Where
 * only forms have spoken of that lead so far, a caller who is no form corrects it by what it has `stated`; or always,
 * when it asks for that.
 * @throws pg errors: `55P03` when a request with the same idempotency key is still running.
 */
export async function intakeLead(pool: Pool, settings: IntakeSettings, request: IntakeRequest): Promise<IntakeResult> {
  const [result] = await intakeTogether(pool, settings, request.organizationId, [request]);
  if (!result) throw new Error('intake_group answered for no lead');
  return result;
}

/**
 * Takes leads of one organization in, each as `intakeLead` does, in one statement: all of them are stored, or none.
 * @returns what became of each, in the order of the requests
 * @throws as `intakeLead`, whichever of them it is for
 */
export async function intakeTogether(
  pool: Pool,
  settings: IntakeSettings,
  organizationId: string,
  requests: readonly IntakeRequest[],
): Promise<IntakeResult[]> {
  const described = requests.map((request) => ({ ...describeIntake(settings, request), request }));
  const submissions = described.map(({ row, request }, place) => ({
    ...row,
    place,
    metadata: request.caller,
    order_delay_ms: request.orderDelayMs,
    ...describeKey(settings, request),
  }));
  const { rows } = await pool.query<{ answers: IntakeAnswer[] }>({
    name: 'intake_group',
    text: 'SELECT intake_group($1, $2) AS answers',
    values: [organizationId, JSON.stringify(submissions)],
  });
  return described.map(({ row, order }, place) => {
    const answer = rows[0]?.answers[place];
    if (!answer) throw new Error(`intake_group has no answer for lead ${place} of ${requests.length}`);
    return toResult(answer, row.event_id, order);
  });
}

function describeKey(
  { idempotencyTtlHours }: IntakeSettings,
  { submission, stated, onDuplicate, idempotencyKey }: IntakeRequest,
) {
  if (idempotencyKey === undefined) return {};
  return {
    idempotency_key: idempotencyKey,
    request_hash: canonicalHash(onDuplicate === 'update' ? { update: submission, stated } : submission),
    idempotency_ttl: `${idempotencyTtlHours} hours`,
  };
}

interface IntakeAnswer {
  outcome: 'created' | 'duplicate' | 'key_reused' | 'gone';
  replayed: boolean;
  stored: Record<string, unknown> | null;
}

function toResult(row: IntakeAnswer, eventId: string, order: StartOrder): IntakeResult {
  if (row.outcome === 'key_reused' || row.outcome === 'gone' || !row.stored) {
    return { outcome: row.outcome === 'key_reused' ? 'key_reused' : 'gone' };
  }
  const tagged = tagLead(fromStored(row.stored));
  if (row.replayed) return { ...tagged, outcome: 'replayed', duplicate: row.outcome === 'duplicate' };
  if (row.outcome === 'duplicate') return { ...tagged, outcome: 'duplicate', eventId };
  return { ...tagged, outcome: 'created', eventId, order };
}
