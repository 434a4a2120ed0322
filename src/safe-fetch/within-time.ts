import pTimeout from 'p-timeout';

/**
 * Does work that can be told to stop. Its signal aborts when its time is over, and when the caller's signal does.
 * @param milliseconds that it may take
 * @throws what the work throws; p-timeout's `TimeoutError` when its time is over; the reason of the caller's signal
 */
export async function withinTime<T>(
  milliseconds: number,
  signal: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const stop = new AbortController();
  try {
    return await pTimeout(work(stop.signal), { milliseconds, signal });
  } catch (err) {
    stop.abort(err);
    throw err;
  }
}
