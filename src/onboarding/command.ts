import { uuidv7 } from 'uuidv7';
import type { OnboardingSignal, OnboardingState } from '../../workflows/contract.ts';
import type { Caller } from '../audit/caller.ts';
import type { Prisma } from '../db/generated/client.ts';
import { LeadNotFound } from '../leads/errors.ts';
import { isUnfinished, type LeadRow } from '../leads/lead.ts';
import { lockLead } from '../leads/lock-lead.ts';
import { noteActivity } from '../leads/note-activity.ts';
import type { Order, SignalOrder, StartOrder } from '../outbox/order.ts';
import { placeOrder } from '../outbox/place-order.ts';
import { watch, WATCHED } from '../outbox/watch.ts';
import { recordOrder } from './order-record.ts';
import { stepKey } from './step-record.ts';

export const COMMANDS = ['enrich-now', 'skip-enrichment', 'cancel', 'retry'] as const;
export type Command = (typeof COMMANDS)[number];

/** A command that the state of the onboarding does not allow. */
export class CommandImpossible extends Error {
  override name = 'CommandImpossible';
}

const SIGNALS: Record<Exclude<Command, 'retry'>, OnboardingSignal> = {
  'enrich-now': 'enrichNow',
  'skip-enrichment': 'skipEnrichment',
  cancel: 'cancel',
};

export interface CommandContext {
  caller: Caller;
  enrichmentDelayMs: number;
  /** Milliseconds for which relays leave the order to this process. */
  orderDelayMs: number;
  /** True for one of many that are retried together: other leads go first. */
  inBulk?: boolean;
}

/**
 * Accepts a command by what Postgres says, so that it is accepted while Temporal or the workers are down, and leaves
 * the order in the outbox. The lead remembers it for the round, so that it outlives the run that it was passed on to.
 * @returns the order, and the state that the onboarding is in now.
 * @throws LeadNotFound, CommandImpossible
 */
export async function acceptCommand(
  tx: Prisma.TransactionClient,
  leadId: string,
  command: Command,
  context: CommandContext,
): Promise<{ state: OnboardingState; order: Order }> {
  const lead = await lockLead(tx, leadId);
  if (!lead) throw new LeadNotFound(leadId);
  const order = command === 'retry' ? await beginRound(tx, lead, context) : await signal(tx, lead, command, context);
  await recordOrder(tx, lead, 'command.accepted', { command, round: order.payload.round }, context.caller);
  await placeOrder(tx, order, context.orderDelayMs);
  await noteActivity(tx, lead.id);
  return { state: command === 'retry' ? 'PENDING' : lead.onboardingState, order };
}

async function signal(
  tx: Prisma.TransactionClient,
  lead: LeadRow,
  command: Exclude<Command, 'retry'>,
  { caller }: CommandContext,
): Promise<SignalOrder> {
  if (!isUnfinished(lead)) {
    throw new CommandImpossible(`The onboarding is over: it is ${lead.onboardingState}.`);
  }
  const enriched = await tx.leadEvent.findUnique({
    where: { leadId_stepKey: { leadId: lead.id, stepKey: stepKey(lead.onboardingRound, 'enrichment') } },
  });
  if (enriched && command !== 'cancel') throw new CommandImpossible(`The enrichment is over: ${enriched.type}.`);
  const name = SIGNALS[command];
  if (!lead.acceptedCommands.includes(name)) {
    await tx.onboarding.update({
      where: { leadId: lead.id },
      data: { acceptedCommands: { push: name } },
      select: { leadId: true },
    });
  }
  return {
    id: uuidv7(),
    kind: 'SIGNAL_ONBOARDING',
    leadId: lead.id,
    organizationId: lead.organizationId,
    payload: { signal: name, round: lead.onboardingRound, requestId: caller.requestId },
  };
}

async function beginRound(tx: Prisma.TransactionClient, lead: LeadRow, context: CommandContext): Promise<StartOrder> {
  if (isUnfinished(lead)) {
    throw new CommandImpossible(`The onboarding is not over: it is ${lead.onboardingState}.`);
  }
  if (lead.onboardingState === 'COMPLETED')
    throw new CommandImpossible('The onboarding is complete: nothing is left to retry.');
  const round = lead.onboardingRound + 1;
  await tx.onboarding.update({
    where: { leadId: lead.id },
    data: { state: 'PENDING', round, acceptedCommands: [] },
    select: { leadId: true },
  });
  await watch(tx, { leadId: lead.id, organizationId: lead.organizationId }, WATCHED.onboarding);
  return {
    id: uuidv7(),
    kind: 'START_ONBOARDING',
    leadId: lead.id,
    organizationId: lead.organizationId,
    payload: {
      round,
      enrichmentDelayMs: context.enrichmentDelayMs,
      priority: lead.priority,
      source: lead.source,
      requestId: context.caller.requestId,
      ...(context.inBulk && { inBulk: true }),
    },
  };
}
