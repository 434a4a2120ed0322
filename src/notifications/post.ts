/** An attempt of the activity has 10 s for all that it does. */
const DEADLINE_MS = 5_000;
/** The code of a request that was not answered in time. */
export const TIMEOUT = 'TimeoutError';

/** Posts once, within 5 s. Follows no redirect, and reads no body: only status and headers count. */
export async function post(
  url: string,
  request: { headers: Record<string, string>; body: string },
  signal: AbortSignal,
): Promise<Response> {
  // Not `AbortSignal.any` with `AbortSignal.timeout`: in Node 20 the garbage collector takes the timer away.
  const stop = new AbortController();
  const deadline = setTimeout(() => stop.abort(new DOMException('too late', TIMEOUT)), DEADLINE_MS);
  const cancel = () => stop.abort(signal.reason);
  signal.addEventListener('abort', cancel);
  try {
    const response = await fetch(url, { ...request, method: 'POST', redirect: 'manual', signal: stop.signal });
    await response.body?.cancel();
    return response;
  } finally {
    clearTimeout(deadline);
    signal.removeEventListener('abort', cancel);
  }
}

/** `ECONNREFUSED`, `UND_ERR_SOCKET`, `TimeoutError`: the code of the cause if it has one, else the kind of error. */
export function codeOf(err: unknown): string {
  const cause: unknown = err instanceof Error && err.cause ? err.cause : err;
  if (!(cause instanceof Error)) return typeof cause;
  return 'code' in cause && typeof cause.code === 'string' ? cause.code : cause.name;
}
