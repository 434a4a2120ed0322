const [SECOND, MINUTE, HOUR] = [1_000, 60_000, 3_600_000];

/** After the first failure of an event, the second, and so on; the last one again and again. */
const OF_EVENTS = [5 * SECOND, 30 * SECOND, 2 * MINUTE, 10 * MINUTE, 30 * MINUTE, HOUR, 3 * HOUR, 6 * HOUR];
/** Of an endpoint that takes nothing: it is asked with one event at a time. */
const OF_ENDPOINTS = [5 * SECOND, 10 * SECOND, 30 * SECOND, MINUTE, 5 * MINUTE, 15 * MINUTE];
/** An endpoint that asks for less with `Retry-After` waits for this. */
const AT_LEAST = SECOND;

/** So many failures in a row are the endpoint's, not the events'. */
export const IN_TROUBLE = 5;

/** Milliseconds until an event is tried again. @param attempts that failed */
export const eventDelay = (attempts: number): number => spread(OF_EVENTS, attempts - 1);

/** Milliseconds until an endpoint in trouble is asked again. @param failures in a row */
export const endpointDelay = (failures: number): number => spread(OF_ENDPOINTS, failures - IN_TROUBLE);

/** Milliseconds, of what an endpoint asks for. */
export const granted = (retryAfterMs: number): number => Math.max(retryAfterMs, AT_LEAST);

/** A fifth more or less, so that what failed together does not come back together. */
function spread(delays: readonly number[], step: number): number {
  const delay = delays[Math.min(step, delays.length - 1)] ?? 0;
  return Math.round(delay * (0.8 + 0.4 * Math.random()));
}
