import type { CloseInput, CloseResult, OnboardingState } from '../../workflows/contract.ts';
import type { Prisma } from '../db/generated/client.ts';
import { isUnfinished } from '../leads/lead.ts';
import { lockLead } from '../leads/lock-lead.ts';
import { enrichmentOutcome } from './enrichment-step.ts';
import { recordNotificationFailure } from './notification-step.ts';
import { endOnboarding, settledState } from './outcome.ts';
import { activityOrigin, reasonOf, recordStep, type StepEventType, stepKey } from './step-record.ts';

/**
 * Ends an onboarding that the score did not end. Whatever ended it before stays; a lead that is gone counts as canceled.
 * @param origin who ends it, for the timeline; by default the activity that this runs in
 */
export async function closeOnboarding(
  tx: Prisma.TransactionClient,
  input: CloseInput,
  origin = activityOrigin(input.requestId),
): Promise<CloseResult> {
  const lead = await lockLead(tx, input.leadId);
  if (!lead) return { state: 'CANCELED' };
  if (!isUnfinished(lead) || lead.onboardingRound !== input.round) return { state: lead.onboardingState };

  const { notification } = input;
  if (notification.outcome === 'failed') await recordNotificationFailure(tx, input, notification);
  const { state, type } = await judge(tx, input);
  await endOnboarding(tx, lead.id, state);
  await recordStep(tx, input, 'outcome', type, { state, ...reasonOf(input) }, origin);
  return { state };
}

async function judge(
  tx: Prisma.TransactionClient,
  input: CloseInput,
): Promise<{ state: OnboardingState; type: StepEventType }> {
  if (input.verdict === 'canceled') return { state: 'CANCELED', type: 'onboarding.canceled' };
  if (input.verdict === 'failed' || input.notification.outcome === 'pending') {
    return { state: 'FAILED', type: 'onboarding.failed' };
  }
  const enrichment = await tx.leadEvent.findUniqueOrThrow({
    where: { leadId_stepKey: { leadId: input.leadId, stepKey: stepKey(input.round, 'enrichment') } },
  });
  const state = settledState(enrichmentOutcome(enrichment.type), input.notification.outcome);
  return { state, type: 'onboarding.completed' };
}
