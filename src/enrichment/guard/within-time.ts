import type { Answer, LookupContext } from '../provider.ts';

/**
 * Asks a source that may hang: past its time its signal aborts, and it counts as one that is to be asked again.
 * @throws what the source throws; the context's reason when the enrichment is canceled
 */
export async function withinTime(
  timeoutMs: number,
  { signal, now }: LookupContext,
  ask: (signal: AbortSignal) => Promise<Answer>,
): Promise<Answer> {
  const stop = new AbortController();
  const cancel = () => stop.abort(signal.reason);
  signal.addEventListener('abort', cancel, { once: true });
  let deadline: NodeJS.Timeout | undefined;
  const tooLate = new Promise<Answer>((resolve, reject) => {
    stop.signal.addEventListener('abort', () => reject(stop.signal.reason as Error), { once: true });
    deadline = setTimeout(() => {
      resolve({ kind: 'retry', at: now(), reason: 'timeout' });
      stop.abort(new DOMException('too late', 'TimeoutError'));
    }, timeoutMs);
  });
  try {
    return await Promise.race([ask(stop.signal), tooLate]);
  } finally {
    clearTimeout(deadline);
    signal.removeEventListener('abort', cancel);
  }
}
