import { v7 as uuidv7 } from 'uuid';
import type { Prisma, PrismaClient } from '../db/generated/client.ts';
import { isUnfinished, type LeadRow } from '../leads/lead.ts';
import { lockLead } from '../leads/lock-lead.ts';
import { closeOnboarding } from '../onboarding/close.ts';
import { isAssigned } from '../notifications/create.ts';
import { stepKey } from '../onboarding/step-record.ts';
import type { StartOrder } from '../outbox/order.ts';
import { endWatch, nameOf, WATCHED } from '../outbox/watch.ts';
import { placeOrder } from '../outbox/place-order.ts';
import type { WatchedRun } from './claim.ts';
import type { LatestRun } from './latest-run.ts';
import type { Verdict } from './verdicts.ts';

/** Something of a lead whose run has come to nothing. */
export interface StoppedRun extends WatchedRun {
  /** The run that has ended, or is missing. */
  latest: LatestRun;
  requestId: string;
}

/**
 * Does what the end of a run has left to do: ends an onboarding that was to be canceled, else orders its round again,
 * with the commands that the run was given. Steps that it has taken are not taken again. The lead is locked and read
 * anew, so that of several reconcilers one orders, and one that was frozen meanwhile none.
 */
export function mendOnboarding(prisma: PrismaClient, stopped: StoppedRun, enrichmentDelayMs: number): Promise<Verdict> {
  return prisma.$transaction(async (tx) => {
    const { leadId, organizationId, round, latest, requestId } = stopped;
    const lead = await lockLead(tx, leadId);
    if (!lead || lead.onboardingRound !== round) return 'under way';
    if (!isUnfinished(lead)) {
      await endWatch(tx, leadId, WATCHED.onboarding);
      return 'under way';
    }

    const runWasCanceled = latest.status === 'CANCELLED' && latest.round === round;
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

function startAgain(lead: LeadRow, order: { requestId: string; enrichmentDelayMs: number }): StartOrder {
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
async function remainingDelay(tx: Prisma.TransactionClient, lead: LeadRow, delayMs: number): Promise<number> {
  const step = { leadId: lead.id, stepKey: stepKey(lead.onboardingRound, 'started') };
  const started = await tx.leadEvent.findUnique({ where: { leadId_stepKey: step } });
  const waitedMs = Date.now() - (started?.at ?? lead.createdAt).getTime();
  return Math.min(delayMs, Math.max(0, delayMs - waitedMs));
}

/** Orders again that an assignee be told, unless they have been, or are to be told no more. */
export function mendAssignment(prisma: PrismaClient, { leadId, run, requestId }: StoppedRun): Promise<Verdict> {
  return prisma.$transaction(async (tx) => {
    const lead = await lockLead(tx, leadId);
    if (!lead) return 'under way';
    const { assignment } = lead;
    const told = await tx.notification.count({ where: { leadId, assignment } });
    if (!isAssigned(lead) || WATCHED.assignment(assignment) !== run || told > 0) {
      await endWatch(tx, leadId, run);
      return 'under way';
    }
    if ((await tx.outbox.count({ where: { leadId, kind: 'NOTIFY_ASSIGNEE' } })) > 0) return 'under way';
    await placeOrder(tx, {
      id: uuidv7(),
      kind: 'NOTIFY_ASSIGNEE',
      leadId,
      organizationId: lead.organizationId,
      payload: { assignment, priority: lead.priority, requestId, again: true },
    });
    return 'ordered again';
  });
}

/** Orders an enrichment again, as its entry on the timeline says, unless it has come to its score. */
export function mendEnrichment(
  prisma: PrismaClient,
  { leadId, run: watched, requestId }: StoppedRun,
): Promise<Verdict> {
  return prisma.$transaction(async (tx) => {
    const lead = await lockLead(tx, leadId);
    const run = nameOf(watched);
    const where = { leadId_stepKey: { leadId, stepKey: stepKey(watched, 'score') } };
    const scored = await tx.leadEvent.findUnique({ where });
    const ofRun = { path: ['run'], equals: run };
    const ordered = await tx.leadEvent.findFirst({ where: { leadId, type: 'enrichment.ordered', data: ofRun } });
    if (!lead || scored || !ordered) {
      await endWatch(tx, leadId, watched);
      return 'under way';
    }
    if ((await tx.outbox.count({ where: { leadId, kind: 'ENRICH_LEAD', payload: ofRun } })) > 0) return 'under way';
    const { fresh } = ordered.data as { fresh: boolean };
    await placeOrder(tx, {
      id: uuidv7(),
      kind: 'ENRICH_LEAD',
      leadId,
      organizationId: lead.organizationId,
      payload: { run, fresh, priority: lead.priority, requestId },
    });
    return 'ordered again';
  });
}
