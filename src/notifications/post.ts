import { withinTime } from '../safe-fetch/within-time.ts';

/** An attempt of the activity has 10 s for all that it does. */
const DEADLINE_MS = 5_000;

/** Posts once, within 5 s. Follows no redirect, and reads no body: only status and headers count. */
export async function post(
  url: string,
  request: { headers: Record<string, string>; body: string },
  signal: AbortSignal,
): Promise<Response> {
  return withinTime(DEADLINE_MS, signal, async (stop) => {
    const response = await fetch(url, { ...request, method: 'POST', redirect: 'manual', signal: stop });
    await response.body?.cancel();
    return response;
  });
}

/** `ECONNREFUSED`, `UND_ERR_SOCKET`, `TimeoutError`: the code of the cause if it has one, else the kind of error. */
export function codeOf(err: unknown): string {
  const cause: unknown = err instanceof Error && err.cause ? err.cause : err;
  if (!(cause instanceof Error)) return typeof cause;
  return 'code' in cause && typeof cause.code === 'string' ? cause.code : cause.name;
}
