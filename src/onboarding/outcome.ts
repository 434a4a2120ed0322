import type { EnrichmentOutcome, NotificationOutcome, OnboardingState } from '../../workflows/contract.ts';
import type { Prisma } from '../db/generated/client.ts';
import { endWatch, WATCHED } from '../outbox/watch.ts';

/** The state that an onboarding ends in when all its steps have an outcome: PARTIAL when one of them gave up. */
export function settledState(
  enrichment: EnrichmentOutcome,
  notification: NotificationOutcome,
): Extract<OnboardingState, 'COMPLETED' | 'PARTIAL'> {
  return enrichment === 'partial' || notification === 'failed' ? 'PARTIAL' : 'COMPLETED';
}

/** Ends the onboarding of a lead, which is locked: nothing watches over it any more. */
export async function endOnboarding(
  tx: Prisma.TransactionClient,
  leadId: string,
  state: OnboardingState,
): Promise<void> {
  await tx.onboarding.update({ where: { leadId }, data: { state }, select: { leadId: true } });
  await endWatch(tx, leadId, WATCHED.onboarding);
}
