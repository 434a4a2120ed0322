import { v7 as uuidv7 } from 'uuid';
import type { Lead, Prisma } from '../db/generated/client.ts';
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

/**
 * Erases a person with all that is known of them; of the timeline one entry stays, without personal data. Whatever
 * writes about a lead holds its row, so that nothing of it comes back.
 * @returns the order to end the onboarding, if one may be running
 * @throws LeadNotFound
 */
export async function eraseLead(
  tx: Prisma.TransactionClient,
  leadId: string,
  erasure: Erasure,
): Promise<SignalOrder | undefined> {
  const lead = await lockLead(tx, leadId);
  if (!lead) throw new LeadNotFound(leadId);
  await tx.notification.deleteMany({ where: { leadId: lead.id } }); // before the entry of a delivery that is just marked
  await tx.leadEvent.deleteMany({ where: { leadId: lead.id } });
  await tx.outbox.deleteMany({ where: { leadId: lead.id } });
  await forgetAnswers(tx, lead.id);
  await tx.lead.delete({ where: { id: lead.id }, select: { id: true } });
  await recordErasure(tx, lead, erasure);
  return endOnboarding(tx, lead, erasure);
}

/** The keys stay until they expire: a repetition of their requests must not bring the person back. */
async function forgetAnswers(tx: Prisma.TransactionClient, leadId: string): Promise<void> {
  await tx.$executeRaw`UPDATE idempotency_key SET response = NULL, request_hash = '' WHERE lead_id = ${leadId}::uuid`;
}

async function recordErasure(tx: Prisma.TransactionClient, lead: Lead, { reason, origin }: Erasure): Promise<void> {
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
  lead: Lead,
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
