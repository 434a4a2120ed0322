import { uuidv7 } from 'uuidv7';
import type { Prisma } from '../db/generated/client.ts';
import type { LeadRow } from '../leads/lead.ts';
import type { SignalOrder } from '../outbox/order.ts';
import { placeOrder } from '../outbox/place-order.ts';
import { ERASURE } from '../leads/erasure-record.ts';
import { LeadNotFound } from '../leads/errors.ts';
import { lockLead } from '../leads/lock-lead.ts';

export interface Erasure {
  reason: 'request' | 'retention';
  requestId: string;
  /** Who or what erases, for the audit: ids only. */
  origin: Prisma.InputJsonObject;
  /** Milliseconds for which relays leave the order to this process. */
  orderDelayMs: number;
}

/** Entries, and kept answers, deleted at once: short locks, and far below the time of a statement. */
export const BATCH = 5_000;

export interface Erased {
  /** To end the onboarding, if one may be running. */
  order: SignalOrder | undefined;
  /** Whether relays have something left to delete, which nobody can read. */
  leftovers: boolean;
}

/**
 * Erases a person with all that is known of them; of the timeline one entry stays, without personal data. Whatever
 * writes about a lead holds its row, so that nothing of it comes back.
 * @throws LeadNotFound
 */
export async function eraseLead(tx: Prisma.TransactionClient, leadId: string, erasure: Erasure): Promise<Erased> {
  const lead = await lockLead(tx, leadId);
  if (!lead) throw new LeadNotFound(leadId);
  await tx.notification.deleteMany({ where: { leadId: lead.id } }); // before the entry of a delivery that is just marked
  await tx.$executeRaw`SELECT erase_leftovers(${lead.id}::uuid, ${BATCH}::int, '-infinity', 0)`;
  const [left] = await tx.$queryRaw<{ any: boolean }[]>`SELECT has_leftovers(${lead.id}::uuid) AS any`;
  const leftovers = left?.any ?? true;
  if (leftovers) await tx.erasure.create({ data: { leadId: lead.id, organizationId: lead.organizationId } });
  await tx.outbox.deleteMany({ where: { leadId: lead.id } });
  await tx.leadRecord.delete({ where: { id: lead.id }, select: { id: true } });
  await recordErasure(tx, lead, erasure);
  return { order: await endOnboarding(tx, lead, erasure), leftovers };
}

async function recordErasure(tx: Prisma.TransactionClient, lead: LeadRow, { reason, origin }: Erasure): Promise<void> {
  await tx.leadEvent.create({
    data: {
      ...ERASURE,
      id: uuidv7(),
      leadId: lead.id,
      organizationId: lead.organizationId,
      data: { reason, leadCreatedAt: lead.createdAt.toISOString() },
      metadata: origin,
    },
  });
}

async function endOnboarding(
  tx: Prisma.TransactionClient,
  lead: LeadRow,
  { requestId, orderDelayMs }: Erasure,
): Promise<SignalOrder | undefined> {
  if (lead.onboardingState !== 'PENDING' && lead.onboardingState !== 'RUNNING') return undefined;
  const order: SignalOrder = {
    id: uuidv7(),
    kind: 'SIGNAL_ONBOARDING',
    leadId: lead.id,
    organizationId: lead.organizationId,
    payload: { signal: 'cancel', round: lead.onboardingRound, requestId, erasedAt: new Date().toISOString() },
  };
  await placeOrder(tx, order, orderDelayMs);
  return order;
}
