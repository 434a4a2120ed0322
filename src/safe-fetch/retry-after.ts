/** Who asks for more than this is not waited for. */
const LONGEST_MS = 3_600_000;

/**
 * Reads `Retry-After`, a number of seconds or a date (RFC 9110, section 10.2.3).
 * @returns the time from which on to ask again, an hour from now at the latest; undefined when it says nothing
 */
export function retryAfter(header: string | undefined, now: Date): Date | undefined {
  if (header === undefined) return undefined;
  const at = /^\d{1,10}$/.test(header.trim()) ? now.getTime() + Number(header) * 1_000 : Date.parse(header);
  if (Number.isNaN(at)) return undefined;
  return new Date(Math.min(Math.max(at, now.getTime()), now.getTime() + LONGEST_MS));
}
