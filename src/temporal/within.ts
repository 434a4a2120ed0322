import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Waits for some work, but not for ever; the work itself goes on.
 * @throws Error when it takes longer
 */
export async function within<T>(milliseconds: number, work: Promise<T>): Promise<T> {
  const settled = new AbortController();
  const late = sleep(milliseconds, undefined, { ref: false, signal: settled.signal }).then(() => {
    throw new Error(`no answer within ${milliseconds} ms`);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    settled.abort();
  }
}
