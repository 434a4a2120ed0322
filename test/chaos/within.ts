import { setTimeout as sleep } from 'node:timers/promises';

/** What comes to pass at all in a scenario does so within this, on a busy machine too. */
const WITHIN_MS = 60_000;

/** @throws Error with this message when the promise stays open for a minute */
export function within<T>(promise: Promise<T>, otherwise: string): Promise<T> {
  const late = sleep(WITHIN_MS, undefined, { ref: false }).then(() => {
    throw new Error(otherwise);
  });
  return Promise.race([promise, late]);
}
