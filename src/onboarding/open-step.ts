import { ApplicationFailure } from '@temporalio/activity';
import { FAILURES, type OnboardingRef } from '../../workflows/contract.ts';
import type { LeadEvent, Prisma } from '../db/generated/client.ts';
import { isUnfinished, type LeadRow } from '../leads/lead.ts';
import { lockLead } from '../leads/lock-lead.ts';
import { recordStep, type Step, stepKey } from './step-record.ts';

export interface OpenStep {
  /** The lead, locked until the transaction ends. */
  lead: LeadRow;
  /** What an earlier run of the step has written; null when this is the first to get this far. */
  recorded: LeadEvent | null;
}

/**
 * Begins a step in a transaction: locks the lead, claims the onboarding if nobody has, finds what the step left before.
 * @throws ApplicationFailure `LeadGone` or `OnboardingClosed`, not to be retried.
 */
export async function openStep(tx: Prisma.TransactionClient, ref: OnboardingRef, step: Step): Promise<OpenStep> {
  const lead = await lockLead(tx, ref.leadId);
  if (!lead) throw ApplicationFailure.nonRetryable(`Lead ${ref.leadId} does not exist`, FAILURES.leadGone);

  const recorded = await tx.leadEvent.findUnique({
    where: { leadId_stepKey: { leadId: ref.leadId, stepKey: stepKey(ref.round, step) } },
  });
  if (recorded) return { lead, recorded };

  if (!isUnfinished(lead) || lead.onboardingRound !== ref.round) {
    const message = `Round ${ref.round} of the onboarding of lead ${ref.leadId} is over`;
    throw ApplicationFailure.nonRetryable(message, FAILURES.onboardingClosed);
  }
  if (lead.onboardingState === 'PENDING') {
    await tx.onboarding.update({ where: { leadId: lead.id }, data: { state: 'RUNNING' }, select: { leadId: true } });
    await recordStep(tx, ref, 'started', 'onboarding.started');
  }
  return { lead, recorded: null };
}
