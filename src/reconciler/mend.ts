import { uuidv7 } from 'uuidv7';
import type { Prisma, PrismaClient } from '../db/generated/client.ts';
import { isUnfinished } from '../leads/lead.ts';
import { lockLead } from '../leads/lock-lead.ts';
import { closeOnboarding } from '../onboarding/close.ts';
import { recordStep, stepKey, type StepOwner } from '../onboarding/step-record.ts';
import { endWatch, nameOf, WATCHED } from '../outbox/watch.ts';
import { placeOrder } from '../outbox/place-order.ts';
import type { WatchedRun } from './claim.ts';
import type { LatestRun } from './latest-run.ts';
import { orderOnboardings } from './order-onboardings.ts';
import type { Verdict } from './verdicts.ts';

/** Something of a lead whose run has come to nothing. */
export interface StoppedRun extends WatchedRun {
  /** The run that has ended, or is missing. */
  latest: LatestRun;
  requestId: string;
}

/**
 * Orders those of the onboardings again that need nothing else, all together. Temporal may have lost its whole store:
 * one by one a million leads would take hours.
 * @returns the ids of those that were ordered; the others are for `mendOnboarding`
 */
export function orderLostOnboardings(
  prisma: PrismaClient,
  stopped: readonly StoppedRun[],
  enrichmentDelayMs: number,
): Promise<Set<string>> {
  const lost = stopped.filter((run) => !wasCanceled(run));
  if (lost.length === 0) return Promise.resolve(new Set());
  return prisma.$transaction((tx) => orderOnboardings(tx, lost, enrichmentDelayMs));
}

/** Says whether somebody has canceled the run in Temporal; of an onboarding, that of the round that the lead is in. */
const wasCanceled = ({ latest, round, run }: StoppedRun): boolean =>
  latest.status === 'CANCELLED' && (run !== WATCHED.onboarding || latest.round === round);

/**
 * Does what the end of a run has left to do: ends an onboarding that was to be canceled, else orders its round again,
 * with the commands that the run was given. Steps that it has taken are not taken again. The lead is locked and read
 * anew, so that of several reconcilers one orders, and one that was frozen meanwhile none.
 */
export function mendOnboarding(prisma: PrismaClient, stopped: StoppedRun, enrichmentDelayMs: number): Promise<Verdict> {
  return prisma.$transaction(async (tx) => {
    const { leadId, organizationId, round, requestId } = stopped;
    const lead = await lockLead(tx, leadId);
    if (!lead || lead.onboardingRound !== round) return 'under way';
    if (!isUnfinished(lead)) {
      await endWatch(tx, leadId, WATCHED.onboarding);
      return 'under way';
    }

    if (wasCanceled(stopped) || lead.acceptedCommands.includes('cancel')) {
      const notification = { outcome: 'pending' } as const;
      const ref = { leadId, organizationId, round, requestId };
      await closeOnboarding(tx, { ...ref, verdict: 'canceled', notification, reason: 'RunLost' }, { requestId });
      await tx.outbox.deleteMany({ where: { leadId, kind: 'SIGNAL_ONBOARDING' } }); // no run will take them
      return 'canceled';
    }

    const orders = await tx.outbox.findMany({ where: { leadId, kind: 'START_ONBOARDING' } });
    if (orders.length > 0) return orders.some(({ status }) => status === 'PENDING') ? 'under way' : 'reported';
    const ordered = await orderOnboardings(tx, [stopped], enrichmentDelayMs);
    return ordered.has(leadId) ? 'ordered again' : 'under way';
  });
}

/** Orders again that an assignee be told, unless they have been, are to be told no more, or somebody canceled it in Temporal. */
export function mendAssignment(prisma: PrismaClient, stopped: StoppedRun): Promise<Verdict> {
  const { leadId, organizationId, run, requestId } = stopped;
  return prisma.$transaction(async (tx) => {
    const lead = await lockLead(tx, leadId);
    if (!lead) return 'under way';
    const { assignment } = lead;
    const told = await tx.notification.count({ where: { leadId, assignment } });
    if (lead.assignedTo === null || WATCHED.assignment(assignment) !== run || told > 0) {
      await endWatch(tx, leadId, run);
      return 'under way';
    }
    if (wasCanceled(stopped)) {
      const ref = { leadId, organizationId, assignment, priority: lead.priority, requestId };
      return skip(tx, stopped, ref, 'notification');
    }
    if ((await tx.outbox.count({ where: { leadId, kind: 'NOTIFY_ASSIGNEE' } })) > 0) return 'under way';
    await placeOrder(tx, {
      id: uuidv7(),
      kind: 'NOTIFY_ASSIGNEE',
      leadId,
      organizationId,
      payload: { assignment, priority: lead.priority, requestId, again: true },
    });
    return 'ordered again';
  });
}

/** Orders an enrichment again, as its entry on the timeline says, unless it has come to its score or was canceled in Temporal. */
export function mendEnrichment(prisma: PrismaClient, stopped: StoppedRun): Promise<Verdict> {
  const { leadId, organizationId, run: watched, requestId } = stopped;
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
    const { fresh } = ordered.data as { fresh: boolean };
    if (wasCanceled(stopped)) return skip(tx, stopped, { leadId, organizationId, run, fresh, requestId }, 'enrichment');
    if ((await tx.outbox.count({ where: { leadId, kind: 'ENRICH_LEAD', payload: ofRun } })) > 0) return 'under way';
    await placeOrder(tx, {
      id: uuidv7(),
      kind: 'ENRICH_LEAD',
      leadId,
      organizationId,
      payload: { run, fresh, priority: lead.priority, requestId },
    });
    return 'ordered again';
  });
}

/** Leaves what somebody canceled in Temporal, and says so on the timeline, unless the step was taken before. */
async function skip(
  tx: Prisma.TransactionClient,
  { leadId, run, requestId }: StoppedRun,
  ref: StepOwner,
  step: 'notification' | 'enrichment',
): Promise<Verdict> {
  await endWatch(tx, leadId, run);
  await recordStep(tx, ref, step, `${step}.skipped`, { reason: 'RunCanceled' }, { requestId });
  return 'canceled';
}
