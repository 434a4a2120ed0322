import { setTimeout as sleep } from 'node:timers/promises';
import type { Pool } from 'pg';
import type { Logger } from '../telemetry/logger.ts';
import type { CallerCount, RateLimiter } from './limiter.ts';

const EVERY_MS = 1_000;
/** Callers told about at once; those left over wait for the next time. */
const BATCH = 1_000;
/** Times between two looks for windows that have ended. */
const CLEAN_EVERY = 60;

export interface SharingDependencies {
  limiter: RateLimiter;
  pool: Pool;
  log: Logger;
}

/**
 * Lets all API processes count together: each second every one of them adds its own requests to the table, and learns
 * those of the others. While Postgres is away each process holds the limit by itself.
 */
export function shareCounts(deps: SharingDependencies): { stop(): Promise<void> } {
  const stopping = new AbortController();
  const pause = () => sleep(EVERY_MS, true, { signal: stopping.signal }).catch(() => false);
  const loop = async () => {
    let failing = false;
    for (let times = 1; await pause(); times += 1) {
      try {
        await shareOnce(deps);
        if (times % CLEAN_EVERY === 0) await removeEnded(deps.pool);
        if (failing) deps.log.info('rate limits are shared again');
        failing = false;
      } catch (err) {
        if (!failing) deps.log.warn({ err }, 'rate limits are not shared: each process holds them by itself');
        failing = true;
      }
    }
  };
  const ended = loop();
  return {
    async stop() {
      stopping.abort();
      await ended;
    },
  };
}

/**
 * Shares once.
 * @throws pg errors: what was not told stays with the limiter.
 */
export async function shareOnce({ limiter, pool }: Omit<SharingDependencies, 'log'>): Promise<void> {
  const untold = limiter.takeUntold(BATCH);
  if (untold.length === 0) return;
  try {
    limiter.adopt(await addUp(pool, untold));
  } catch (err) {
    limiter.returnUntold(untold);
    throw err;
  }
}

/** A window begins with the first count told of it, and ends by Postgres' clock. In order, so that no two processes block each other. */
async function addUp(pool: Pool, untold: readonly CallerCount[]): Promise<CallerCount[]> {
  const { rows } = await pool.query<CallerCount>({
    name: 'share_rate_limits',
    text: `INSERT INTO rate_limit AS r (who, count, resets_at)
             SELECT who, count, now() + resets_in_ms * interval '1 millisecond'
             FROM unnest($1::text[], $2::int[], $3::float8[]) AS told (who, count, resets_in_ms) ORDER BY who
           ON CONFLICT (who) DO UPDATE SET
             count = EXCLUDED.count + CASE WHEN r.resets_at > now() THEN r.count ELSE 0 END,
             resets_at = CASE WHEN r.resets_at > now() THEN r.resets_at ELSE EXCLUDED.resets_at END
           RETURNING who, count, extract(epoch FROM resets_at - now())::float8 * 1000 AS "resetsInMs"`,
    values: [
      untold.map(({ who }) => who),
      untold.map(({ count }) => count),
      untold.map(({ resetsInMs }) => resetsInMs),
    ],
  });
  return rows;
}

/** Deletes the windows that have ended, but for those that another process is just adding to. */
export async function removeEnded(pool: Pool): Promise<void> {
  await pool.query(`DELETE FROM rate_limit WHERE who IN (
    SELECT who FROM rate_limit WHERE resets_at < now() FOR UPDATE SKIP LOCKED)`);
}
