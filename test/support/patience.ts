import pTimeout from 'p-timeout';

/**
 * What comes to pass at all does so within this, on a busy machine too: only what hangs takes longer. The one limit of
 * all waiting in tests; `expect.poll` has it from the configuration.
 */
export const PATIENCE_MS = 120_000;

/** @throws Error with this message when the promise stays open for longer than any that does not hang */
export const within = <T>(promise: Promise<T>, otherwise: string): Promise<T> =>
  pTimeout(promise, { milliseconds: PATIENCE_MS, message: otherwise });
