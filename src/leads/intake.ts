import type { Pool } from 'pg';
import { v7 as uuidv7 } from 'uuid';
import type { Caller } from '../audit/caller.ts';
import type { StartOrder } from '../outbox/order.ts';
import { canonicalHash } from './canonical-hash.ts';
import { emailKey } from './email.ts';
import { type TaggedLead, tagLead } from './etag.ts';
import type { Submission } from './submission.ts';

export type IntakeResult =
  | (TaggedLead & { outcome: 'created'; eventId: string; order: StartOrder })
  | (TaggedLead & { outcome: 'duplicate'; eventId: string })
  | (TaggedLead & { outcome: 'replayed'; duplicate: boolean })
  | { outcome: 'key_reused' }
  | { outcome: 'gone' };

export interface IntakeSettings {
  enrichmentDelayMs: number;
  idempotencyTtlHours: number;
}

export interface IntakeRequest {
  /** Whose lead it will be: the caller's own organization. */
  organizationId: string;
  submission: Submission;
  /** Fields that the caller itself has named, to correct what web forms have said; of a form none count. */
  stated?: readonly string[];
  caller: Caller;
  idempotencyKey: string | undefined;
  /** Milliseconds for which relays leave the order to this process; 0 when it will not carry it out itself. */
  orderDelayMs: number;
}

/**
 * Takes a lead in: lead, `lead.created`, the order to onboard it and the idempotency key, in one statement.
 * A lead of the organization with the same e-mail is not doubled: what was sent becomes a touch on its timeline. Where
 * only forms have spoken of that lead so far, a caller who is no form corrects it by what it has `stated`.
 * @throws pg errors: `55P03` when a request with the same idempotency key is still running.
 */
export async function intakeLead(pool: Pool, settings: IntakeSettings, request: IntakeRequest): Promise<IntakeResult> {
  const { organizationId, submission } = request;
  const id = uuidv7();
  const eventId = uuidv7();
  const order: StartOrder = {
    id: uuidv7(),
    kind: 'START_ONBOARDING',
    leadId: id,
    organizationId,
    payload: {
      round: 1,
      enrichmentDelayMs: settings.enrichmentDelayMs,
      priority: submission.priority,
      source: submission.source,
      requestId: request.caller.requestId,
    },
  };
  const { rows } = await pool.query<IntakeRow>({
    name: 'intake_lead',
    text: 'SELECT outcome, replayed, stored FROM intake_lead($1, $2)',
    values: [
      organizationId,
      JSON.stringify({
        id,
        event_id: eventId,
        order_id: order.id,
        organization_id: organizationId,
        name: submission.name,
        email: submission.email,
        email_key: submission.email === null ? null : emailKey(submission.email),
        phone: submission.phone,
        company: submission.company,
        status: submission.status,
        source: submission.source,
        assigned_to: submission.assignedTo,
        priority: submission.priority,
        locale: submission.locale,
        attributes: submission.attributes,
        metadata: request.caller,
        touch: submission,
        ...(!request.caller.form && { stated: (request.stated ?? []).flatMap((field) => COLUMNS[field] ?? []) }),
        order_payload: order.payload,
        order_delay_ms: request.orderDelayMs,
        ...(request.idempotencyKey !== undefined && {
          idempotency_key: request.idempotencyKey,
          request_hash: canonicalHash(submission),
          idempotency_ttl: `${settings.idempotencyTtlHours} hours`,
        }),
      }),
    ],
  });
  const row = rows[0];
  if (!row) throw new Error('intake_lead answered no row');
  return toResult(row, eventId, order);
}

/** Fields that a form may state. Status and priority it leaves open, so nobody has to correct them. */
const COLUMNS: Partial<Record<string, string>> = {
  name: 'name',
  email: 'email',
  phone: 'phone',
  company: 'company',
  source: 'source',
  assignedTo: 'assigned_to',
  locale: 'locale',
  attributes: 'attributes',
} satisfies Partial<Record<keyof Submission, string>>;

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

/** A row as Postgres' `to_jsonb` writes it, with its column names → the lead. */
function fromStored(row: Record<string, unknown>): TaggedLead {
  const camelCase = (column: string) => column.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
  return tagLead(
    Object.fromEntries(Object.entries(row).map(([column, value]) => [camelCase(column), value])) as Parameters<
      typeof tagLead
    >[0],
  );
}
