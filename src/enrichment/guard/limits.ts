/** What keeps a source on somebody else's server within bounds. */
export interface SourceLimits {
  /** Milliseconds for one look-up. */
  timeoutMs: number;
  /** For how long answers are remembered, in milliseconds; 0 for not at all. */
  cacheMs: { found: number; nothing: number };
  /** Requests that one organization may cause in a day (UTC). */
  dailyBudget: number;
  /** After so many failures in a row nobody asks it for a while; undefined for sources that are many servers. */
  circuit?: { failures: number; pauseMs: number } | undefined;
}
