import { v7 as uuidv7 } from 'uuid';
import type { Lead, Prisma, PrismaClient } from '../db/generated/client.ts';
import { isUnfinished } from '../leads/lead.ts';
import { lockLead } from '../leads/lock-lead.ts';
import { closeOnboarding } from '../onboarding/close.ts';
import { stepKey } from '../onboarding/step-record.ts';
import type { StartOrder } from '../outbox/order.ts';
import { placeOrder } from '../outbox/place-order.ts';
import type { LatestRun } from './latest-run.ts';
import type { UnfinishedLead } from './unfinished.ts';
import type { Verdict } from './verdicts.ts';

export interface StoppedLead extends UnfinishedLead {
  /** Which has ended, or is missing. */
  run: LatestRun;
  requestId: string;
}

/**
 * Does what the end of a run has left to do: ends an onboarding that was to be canceled, else orders its round again,
 * with the commands that the run was given. Steps that it has taken are not taken again. The lead is locked and read
 * anew, so that of several reconcilers one orders, and one that was frozen meanwhile none.
 */
export function mendOnboarding(
  prisma: PrismaClient,
  stopped: StoppedLead,
  enrichmentDelayMs: number,
): Promise<Verdict> {
  return prisma.$transaction(async (tx) => {
    const { leadId, organizationId, round, run, requestId } = stopped;
    const lead = await lockLead(tx, leadId);
    if (!lead || !isUnfinished(lead) || lead.onboardingRound !== round) return 'under way';

    const runWasCanceled = run.status === 'CANCELLED' && run.round === round;
    if (runWasCanceled || lead.acceptedCommands.includes('cancel')) {
      const notification = { outcome: 'pending' } as const;
      const ref = { leadId, organizationId, round, requestId };
      await closeOnboarding(tx, { ...ref, verdict: 'canceled', notification, reason: 'RunLost' }, { requestId });
      await tx.outbox.deleteMany({ where: { leadId, kind: 'SIGNAL_ONBOARDING' } }); // no run will take them
      return 'canceled';
    }

    const orders = await tx.outbox.findMany({ where: { leadId, kind: 'START_ONBOARDING' } });
    if (orders.length > 0) return orders.some(({ status }) => status === 'PENDING') ? 'under way' : 'reported';
    const order = { requestId, enrichmentDelayMs: await remainingDelay(tx, lead, enrichmentDelayMs) };
    await placeOrder(tx, startAgain(lead, order));
    return 'ordered again';
  });
}

function startAgain(lead: Lead, order: { requestId: string; enrichmentDelayMs: number }): StartOrder {
  const commands = lead.acceptedCommands.filter((command) => command !== 'cancel');
  const { onboardingRound: round, priority, source } = lead;
  return {
    id: uuidv7(),
    kind: 'START_ONBOARDING',
    leadId: lead.id,
    organizationId: lead.organizationId,
    payload: { ...order, round, priority, source, again: true, ...(commands.length > 0 && { commands }) },
  };
}

/** What is left of the delay since the round began; a lead that never got so far has waited since its creation. */
async function remainingDelay(tx: Prisma.TransactionClient, lead: Lead, delayMs: number): Promise<number> {
  const step = { leadId: lead.id, stepKey: stepKey(lead.onboardingRound, 'started') };
  const started = await tx.leadEvent.findUnique({ where: { leadId_stepKey: step } });
  const waitedMs = Date.now() - (started?.at ?? lead.createdAt).getTime();
  return Math.min(delayMs, Math.max(0, delayMs - waitedMs));
}
