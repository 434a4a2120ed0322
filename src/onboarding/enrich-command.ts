import { uuidv7 } from 'uuidv7';
import type { Prisma } from '../db/generated/client.ts';
import { LeadNotFound } from '../leads/errors.ts';
import { isUnfinished } from '../leads/lead.ts';
import { lockLead } from '../leads/lock-lead.ts';
import { noteActivity } from '../leads/note-activity.ts';
import type { EnrichOrder } from '../outbox/order.ts';
import { placeOrder } from '../outbox/place-order.ts';
import { watch, WATCHED } from '../outbox/watch.ts';
import { recordOrder } from './order-record.ts';
import { CommandImpossible, type CommandContext } from './command.ts';

export interface EnrichContext extends Pick<CommandContext, 'caller' | 'orderDelayMs'> {
  /** Whether to ask sources whose answer is remembered. */
  fresh: boolean;
}

/**
 * Orders that a lead be enriched again, and scored by what is known then; the state of its onboarding stays.
 * @throws LeadNotFound; CommandImpossible while the onboarding goes on, which enriches by itself
 */
export async function orderEnrichment(
  tx: Prisma.TransactionClient,
  leadId: string,
  { caller, fresh, orderDelayMs }: EnrichContext,
): Promise<EnrichOrder> {
  const lead = await lockLead(tx, leadId);
  if (!lead) throw new LeadNotFound(leadId);
  if (isUnfinished(lead)) {
    const hint = 'It enriches the lead by itself; enrich-now makes it do so at once.';
    throw new CommandImpossible(`The onboarding is not over: it is ${lead.onboardingState}. ${hint}`);
  }
  const order: EnrichOrder = {
    id: uuidv7(),
    kind: 'ENRICH_LEAD',
    leadId: lead.id,
    organizationId: lead.organizationId,
    payload: { run: uuidv7(), fresh, priority: lead.priority, requestId: caller.requestId },
  };
  const { run } = order.payload;
  await recordOrder(tx, lead, 'enrichment.ordered', { run, fresh }, caller);
  await placeOrder(tx, order, orderDelayMs);
  await watch(tx, { leadId: lead.id, organizationId: lead.organizationId }, WATCHED.enrichment(run));
  await noteActivity(tx, lead.id);
  return order;
}
