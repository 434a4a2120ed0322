import { LRUCache } from 'lru-cache';

/** Callers counted at the same time, some 15 MB. Past that the one not seen for longest is forgotten. */
const MAX_CALLERS = 50_000;

/** How often a caller may ask: so many requests in a window of so many seconds, which begins with the first of them. */
export interface RateLimit {
  requests: number;
  seconds: number;
}

/** Where a caller stands after a request. */
export interface Standing {
  allowed: boolean;
  /** Requests left in this window. */
  remaining: number;
  resetsInMs: number;
}

/** Requests of one caller that were let through in the present window. */
export interface CallerCount {
  who: string;
  count: number;
  resetsInMs: number;
}

export interface RateLimiter {
  readonly limit: RateLimit;
  /** Counts so many requests, or refuses them all; what is refused does not count. Asks nobody. */
  take(who: string, requests?: number): Standing;
  /** Takes back a request that need not have counted. */
  giveBack(who: string): void;
  /** Takes out what only this process knows, of at most `max` callers. */
  takeUntold(max: number): CallerCount[];
  /** Puts back what could not be told. */
  returnUntold(counts: readonly CallerCount[]): void;
  /** Goes on from what all processes together have counted. */
  adopt(counts: readonly CallerCount[]): void;
}

interface Count {
  total: number;
  /** How many of them only this process knows. */
  untold: number;
  resetsAt: number;
}

/**
 * Counts requests in fixed windows, in memory. A hundredth of the limit is told at once: callers below that would
 * only make work, and processes that keep it to themselves let through no more than that too much.
 * @param now milliseconds of a clock that never goes back
 */
export function createRateLimiter(limit: RateLimit, now: () => number = () => performance.now()): RateLimiter {
  const worthTelling = Math.ceil(limit.requests / 100);
  const toTell = new Set<string>();
  const counts = new LRUCache<string, Count>({ max: MAX_CALLERS, dispose: (_count, who) => toTell.delete(who) });

  function currentCount(who: string): Count {
    const known = counts.get(who);
    if (known && known.resetsAt > now()) return known;
    const count = { total: 0, untold: 0, resetsAt: now() + limit.seconds * 1_000 };
    counts.set(who, count);
    return count;
  }

  return {
    limit,
    take(who, requests = 1) {
      const count = currentCount(who);
      const allowed = count.total + requests <= limit.requests;
      if (allowed) {
        count.total += requests;
        count.untold += requests;
        if (count.untold >= worthTelling) toTell.add(who);
      }
      return { allowed, remaining: Math.max(0, limit.requests - count.total), resetsInMs: count.resetsAt - now() };
    },
    giveBack(who) {
      const count = counts.peek(who);
      if (!count) return;
      count.total = Math.max(0, count.total - 1);
      count.untold = Math.max(0, count.untold - 1);
    },
    takeUntold(max) {
      const untold: CallerCount[] = [];
      for (const who of toTell) {
        if (untold.length === max) break;
        toTell.delete(who);
        const known = counts.peek(who);
        if (!known || known.resetsAt <= now()) continue;
        untold.push({ who, count: known.untold, resetsInMs: known.resetsAt - now() });
        known.untold = 0;
      }
      return untold;
    },
    returnUntold(untold) {
      for (const { who, count } of untold) {
        const known = counts.peek(who);
        if (!known) continue;
        known.untold += count;
        toTell.add(who);
      }
    },
    adopt(shared) {
      for (const { who, count, resetsInMs } of shared) {
        const known = counts.peek(who);
        if (!known) continue;
        known.total = count + known.untold;
        known.resetsAt = now() + resetsInMs;
      }
    },
  };
}
