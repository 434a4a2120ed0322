import { uuidv7 } from 'uuidv7';
import type { StartOrder } from '../outbox/order.ts';
import { emailKey } from './email.ts';
import type { tagLead } from './etag.ts';
import type { IntakeRequest, IntakeSettings } from './intake-request.ts';
import type { Submission } from './submission.ts';

/** A submission as the functions of the database take it, and the order to onboard the lead that it may become. */
export function describeIntake(
  { enrichmentDelayMs }: Pick<IntakeSettings, 'enrichmentDelayMs'>,
  {
    organizationId,
    submission,
    stated = [],
    onDuplicate,
    caller,
  }: Omit<IntakeRequest, 'idempotencyKey' | 'orderDelayMs'>,
) {
  const order: StartOrder = {
    id: uuidv7(),
    kind: 'START_ONBOARDING',
    leadId: uuidv7(),
    organizationId,
    payload: {
      round: 1,
      enrichmentDelayMs,
      priority: submission.priority,
      source: submission.source,
      requestId: caller.requestId,
    },
  };
  const row = {
    id: order.leadId,
    event_id: uuidv7(),
    order_id: order.id,
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
    ...(!caller.form && { stated: stated.flatMap((field) => COLUMNS[field] ?? []) }),
    ...(onDuplicate === 'update' && { on_duplicate: onDuplicate }),
    order_payload: order.payload,
  };
  return { order, row };
}

const COLUMNS: Partial<Record<string, string>> = {
  name: 'name',
  email: 'email',
  phone: 'phone',
  company: 'company',
  status: 'status',
  source: 'source',
  assignedTo: 'assigned_to',
  priority: 'priority',
  locale: 'locale',
  attributes: 'attributes',
} satisfies Partial<Record<keyof Submission, string>>;

/** A row as Postgres writes it as JSON, with its column names → one for `toLead` and `tagLead`. */
export function fromStored(row: Record<string, unknown>): Parameters<typeof tagLead>[0] {
  const fields: Record<string, unknown> = {};
  for (const column in row) fields[(fieldNames[column] ??= camelCase(column))] = row[column];
  return fields as Parameters<typeof tagLead>[0];
}

/** Names of columns as fields: a batch asks for each of them a hundred times. */
const fieldNames: Record<string, string> = {};
const camelCase = (column: string) => column.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
