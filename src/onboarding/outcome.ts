import type { EnrichmentOutcome, NotificationOutcome, OnboardingState } from '../../workflows/contract.ts';

/** The state that an onboarding ends in when all its steps have an outcome: PARTIAL when one of them gave up. */
export function settledState(
  enrichment: EnrichmentOutcome,
  notification: NotificationOutcome,
): Extract<OnboardingState, 'COMPLETED' | 'PARTIAL'> {
  return enrichment === 'partial' || notification === 'failed' ? 'PARTIAL' : 'COMPLETED';
}
