import type { EnrichmentOutcome, NotificationOutcome, OnboardingState } from '../../workflows/contract.ts';
import type { Lead } from '../db/generated/client.ts';

/** Says whether the present round of a lead's onboarding still goes on. */
export const isUnfinished = ({ onboardingState }: Pick<Lead, 'onboardingState'>): boolean =>
  onboardingState === 'PENDING' || onboardingState === 'RUNNING';

/** The state that an onboarding ends in when all its steps have an outcome: PARTIAL when one of them gave up. */
export function settledState(
  enrichment: EnrichmentOutcome,
  notification: NotificationOutcome,
): Extract<OnboardingState, 'COMPLETED' | 'PARTIAL'> {
  return enrichment === 'partial' || notification === 'failed' ? 'PARTIAL' : 'COMPLETED';
}
