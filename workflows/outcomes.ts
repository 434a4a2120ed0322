import { ActivityFailure, ApplicationFailure, isCancellation, TimeoutFailure } from '@temporalio/workflow';
import { FAILURES, type StepReport } from './contract.ts';

/**
 * Waits for a step that may give up without stopping the others.
 * @returns its outcome, or `givenUp` with the type of the failure; a cancellation is rethrown.
 */
export async function settle<Outcome extends string, GivenUp extends string>(
  step: Promise<{ outcome: Outcome }>,
  givenUp: GivenUp,
): Promise<StepReport<Outcome | GivenUp>> {
  try {
    return { outcome: (await step).outcome };
  } catch (err) {
    if (isCancellation(err) || isClosed(err)) throw err;
    return { outcome: givenUp, reason: failureType(err) };
  }
}

/** Says whether the lead or this round of its onboarding is over, so that nothing is left to do. */
export function isClosed(err: unknown): boolean {
  const type = failureType(err);
  return type === FAILURES.leadGone || type === FAILURES.onboardingClosed;
}

/** The type of what an activity failed with: ids and words of ours only, never a message. */
export function failureType(err: unknown): string {
  const cause = err instanceof ActivityFailure ? err.cause : err;
  if (cause instanceof ApplicationFailure) return cause.type ?? 'ApplicationFailure';
  if (cause instanceof TimeoutFailure) return `Timeout:${cause.timeoutType}`;
  return cause instanceof Error ? cause.name : 'Unknown';
}
