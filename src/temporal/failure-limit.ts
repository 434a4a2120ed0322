import { ApplicationFailure, type Context } from '@temporalio/activity';

/** When an activity that fails on end gives up: once it has failed so often, and for so long. */
export interface FailureLimit {
  failures: number;
  /** Milliseconds since the first failure. */
  forMs: number;
}

/** When activities give up. Time in the queue, killed workers and what is excused do not count. */
export interface FailurePolicy {
  /** By activity type; one that is not named is tried for ever. */
  limits: Readonly<Record<string, FailureLimit>>;
  /** Says whether an error is no fault of the activity's: all would fail alike, and it is over some time. */
  isExcused: (err: unknown) => boolean;
}

/** What a heartbeat carries from attempt to attempt: the server has it when the worker is long gone. */
interface Failures {
  count: number;
  /** Milliseconds since the epoch. */
  since: number;
}

/**
 * Counts a failure of an activity, for the next attempt to know.
 * @returns the failure, not to be retried when the limit is reached
 */
export function countFailure(context: Context, policy: FailurePolicy, failure: ApplicationFailure, err: unknown) {
  const limit = policy.limits[context.info.activityType];
  if (!limit || failure.nonRetryable || policy.isExcused(err)) return failure;
  const { count = 0, since = Date.now() } = (context.info.heartbeatDetails ?? {}) as Partial<Failures>;
  const failures: Failures = { count: count + 1, since };
  if (failures.count >= limit.failures && Date.now() - since >= limit.forMs) {
    return ApplicationFailure.nonRetryable(
      `Given up after ${failures.count} failures: ${failure.message}`,
      failure.type,
    );
  }
  context.heartbeat(failures);
  return failure;
}

/** Tells the server that an attempt lives, and keeps what it knows of earlier ones. */
export const stayAlive = (context: Context): void => context.heartbeat(context.info.heartbeatDetails);
