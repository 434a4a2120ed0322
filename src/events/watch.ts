import { setTimeout as sleep } from 'node:timers/promises';
import type { Pool } from 'pg';
import type { Watcher } from '../streams/watcher.ts';
import type { WatchRefusal, Watchers } from '../streams/watchers.ts';
import { newestEvents } from './newest.ts';

/** Between two looks, of which one is for all that this process streams. */
const LOOK_MS = 250;

export interface FeedWatch {
  /** Begins to watch an organization's feed, until the watcher ends. */
  watch(organizationId: string): Watcher | WatchRefusal;
  /** Resolves when it looks no more. Everything that is watched has ended before. */
  idle(): Promise<void>;
}

/**
 * Watches the feeds that are streamed from this process: looks a few times a second how far each of them has come, in one
 * statement. Nothing announces an event, for it appears when others have committed, not when its own transaction does.
 */
export function watchFeeds({ pool, watchers }: { pool: Pool; watchers: Watchers }): FeedWatch {
  const watching = new Map<string, Set<Watcher>>();
  const newest = new Map<string, string>();
  let looking: Promise<void> | undefined;

  async function look(): Promise<void> {
    while (watching.size > 0) {
      // While Postgres is away nothing happens; streams also read by themselves.
      const found = await newestEvents(pool, [...watching.keys()]).catch(() => []);
      for (const { organizationId, cursor } of found) {
        if (newest.get(organizationId) === cursor) continue;
        newest.set(organizationId, cursor);
        for (const watcher of watching.get(organizationId) ?? []) watcher.change();
      }
      await sleep(LOOK_MS);
    }
    looking = undefined;
  }

  return {
    watch(organizationId) {
      const watcher = watchers.open(organizationId);
      if (typeof watcher === 'string') return watcher;
      const ofOne = watching.get(organizationId) ?? new Set();
      watching.set(organizationId, ofOne.add(watcher));
      watcher.ended.addEventListener('abort', () => {
        ofOne.delete(watcher);
        if (ofOne.size > 0) return;
        watching.delete(organizationId);
        newest.delete(organizationId);
      });
      looking ??= look();
      return watcher;
    },
    async idle() {
      await looking;
    },
  };
}
