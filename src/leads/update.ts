import { isDeepStrictEqual } from 'node:util';
import { uuidv7 } from 'uuidv7';
import { PRIORITY_SIGNAL } from '../../workflows/contract.ts';
import type { Caller } from '../audit/caller.ts';
import { Prisma } from '../db/generated/client.ts';
import type { SignalOrder } from '../outbox/order.ts';
import { placeOrder } from '../outbox/place-order.ts';
import { watch, WATCHED } from '../outbox/watch.ts';
import { emailKey } from './email.ts';
import { AttributesTooLarge, EmailTaken, LeadChanged, LeadNotFound } from './errors.ts';
import { namesVersion, type TaggedLead, tagLead } from './etag.ts';
import { isUnfinished, type LeadRow } from './lead.ts';
import { lockLead } from './lock-lead.ts';
import { mergePatch } from './merge-patch.ts';
import { noteActivity } from './note-activity.ts';
import { attributesSchema, type LeadChange } from './submission.ts';

export interface ChangeOptions {
  /** ETags, one of which the lead has to have. */
  ifMatch?: string | undefined;
  /** Merges attributes into those that there are (RFC 7396), in place of putting them in their place. */
  merge?: boolean;
}

/**
 * Changes a lead, with what was changed on its timeline. A new assignee is told, and a run that is under way learns of
 * a new priority: the orders stand in the outbox.
 * @throws LeadNotFound, LeadChanged, EmailTaken, AttributesTooLarge
 */
export async function updateLead(
  tx: Prisma.TransactionClient,
  id: string,
  change: LeadChange,
  caller: Caller,
  options: ChangeOptions = {},
): Promise<TaggedLead> {
  try {
    return await applyChange(tx, id, change, caller, options);
  } catch (err) {
    if (err instanceof Prisma.PrismaClientKnownRequestError && err.code === 'P2002') throw new EmailTaken();
    throw err;
  }
}

async function applyChange(
  tx: Prisma.TransactionClient,
  id: string,
  sent: LeadChange,
  caller: Caller,
  { ifMatch = '*', merge = false }: ChangeOptions,
): Promise<TaggedLead> {
  const before = await lockLead(tx, id);
  if (!before) throw new LeadNotFound(id);
  if (!namesVersion(ifMatch, before.version)) throw new LeadChanged(id);
  const change = merge && sent.attributes ? { ...sent, attributes: merged(before, sent.attributes) } : sent;
  const changed = differences(before, change);
  if (Object.keys(changed).length === 0) return tagLead(before);

  const assigned = 'assignedTo' in changed && typeof change.assignedTo === 'string';
  const { attributes, ...columns } = change;
  await tx.leadRecord.update({
    where: { id },
    data: {
      ...(columns as Prisma.LeadRecordUpdateInput),
      ...(change.email !== undefined && { emailKey: change.email === null ? null : emailKey(change.email) }),
      ...(assigned && { assignment: { increment: 1 } }),
      version: { increment: 1 },
    },
    select: { id: true },
  });
  if (attributes) {
    await tx.$executeRaw`UPDATE lead SET attributes = ${toJson(attributes)}::jsonb WHERE id = ${id}::uuid`;
  }
  await noteActivity(tx, id);
  const after = (await tx.lead.findUniqueOrThrow({ where: { id } })) as LeadRow;

  const { assignedTo, ...fields } = changed;
  const record = (type: string, data: object) => tx.$executeRaw`
    INSERT INTO lead_event (id, lead_id, organization_id, type, data, metadata)
    VALUES (${uuidv7()}::uuid, ${id}::uuid, ${before.organizationId}, ${type}, ${toJson(data)}::jsonb,
            ${toJson(caller)}::jsonb)`;
  if (Object.keys(fields).length > 0) await record('lead.updated', { changes: fields });
  if (assignedTo) await record('lead.assigned', assignedTo);
  if (assigned) await orderNotification(tx, after, caller);
  if ('priority' in changed && isUnfinished(after)) await placeOrder(tx, priorityOrder(after, caller));
  return tagLead(after);
}

type Attributes = NonNullable<LeadChange['attributes']>;

/** @throws AttributesTooLarge: each patch alone may have been small */
function merged(before: LeadRow, patch: Attributes): Attributes {
  const { data, error } = attributesSchema.safeParse(mergePatch(before.attributes, patch));
  if (!data) throw new AttributesTooLarge(error.issues[0]?.message);
  return data;
}

/** Prisma's own way loses a `__proto__` of a caller's, or fails on it. */
const toJson = (value: object): string => JSON.stringify(value);

type Difference = Record<'from' | 'to', Prisma.InputJsonValue | null>;

function differences(before: LeadRow, change: LeadChange): Record<string, Difference> {
  const changed: Record<string, Difference> = {};
  for (const [field, to] of Object.entries(change)) {
    const from = before[field as keyof LeadChange];
    if (!isDeepStrictEqual(from, to)) changed[field] = { from, to: to ?? null };
  }
  return changed;
}

async function orderNotification(tx: Prisma.TransactionClient, lead: LeadRow, caller: Caller): Promise<void> {
  await placeOrder(tx, {
    id: uuidv7(),
    kind: 'NOTIFY_ASSIGNEE',
    leadId: lead.id,
    organizationId: lead.organizationId,
    payload: { assignment: lead.assignment, priority: lead.priority, requestId: caller.requestId },
  });
  await watch(tx, { leadId: lead.id, organizationId: lead.organizationId }, WATCHED.assignment(lead.assignment));
}

/** What is ordered from now on has the lead's priority anyway; the run that is under way has that of its start. */
const priorityOrder = (lead: LeadRow, caller: Caller): SignalOrder => ({
  id: uuidv7(),
  kind: 'SIGNAL_ONBOARDING',
  leadId: lead.id,
  organizationId: lead.organizationId,
  payload: {
    signal: PRIORITY_SIGNAL,
    priority: lead.priority,
    version: lead.version,
    round: lead.onboardingRound,
    requestId: caller.requestId,
  },
});
