import type { Pool } from 'pg';
import type { StartOrder } from '../outbox/order.ts';
import { canonicalHash } from './canonical-hash.ts';
import type { TaggedLead } from './etag.ts';
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
  const { organizationId, submission, caller } = request;
  const { order, row } = describeIntake(settings, request);
  const { rows } = await pool.query<IntakeRow>({
    name: 'intake_lead',
    text: 'SELECT outcome, replayed, stored FROM intake_lead($1, $2)',
    values: [
      organizationId,
      JSON.stringify({
        ...row,
        organization_id: organizationId,
        metadata: caller,
        order_delay_ms: request.orderDelayMs,
        ...(request.idempotencyKey !== undefined && {
          idempotency_key: request.idempotencyKey,
          request_hash: canonicalHash(
            request.onDuplicate === 'update' ? { update: submission, stated: request.stated } : submission,
          ),
          idempotency_ttl: `${settings.idempotencyTtlHours} hours`,
        }),
      }),
    ],
  });
  const [answer] = rows;
  if (!answer) throw new Error('intake_lead answered no row');
  return toResult(answer, row.event_id, order);
}

interface IntakeRow {
  outcome: 'created' | 'duplicate' | 'key_reused' | 'gone';
  replayed: boolean;
  stored: Record<string, unknown> | null;
}

function toResult(row: IntakeRow, eventId: string, order: StartOrder): IntakeResult {
  if (row.outcome === 'key_reused' || row.outcome === 'gone' || !row.stored) {
    return { outcome: row.outcome === 'key_reused' ? 'key_reused' : 'gone' };
  }
  const tagged = fromStored(row.stored);
  if (row.replayed) return { ...tagged, outcome: 'replayed', duplicate: row.outcome === 'duplicate' };
  if (row.outcome === 'duplicate') return { ...tagged, outcome: 'duplicate', eventId };
  return { ...tagged, outcome: 'created', eventId, order };
}
