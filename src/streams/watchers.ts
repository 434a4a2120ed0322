import { Watcher } from './watcher.ts';

/** Each is an open connection of a client. */
const MAX_WATCHERS = 1_000;
/** What one organization may have of them, where it is known which one asks. */
const FAIR_SHARE = 0.5;

/** Why there is no watcher: this process has no room for one, or none for one of this organization. */
export type WatchRefusal = 'full' | 'share-used-up';

export interface WatchersOptions {
  /** When it aborts, every watcher ends, and there are no new ones. */
  stopping: AbortSignal;
  max?: number;
  /** True where one organization may have half of them at most. */
  fair?: boolean;
}

/** Who follows something from this process, of whatever kind: all kinds share the room that there is. */
export interface Watchers {
  /** Begins to watch, until the watcher ends. */
  open(organizationId: string): Watcher | WatchRefusal;
  /** Those that have not ended. */
  readonly size: number;
}

/** The room for watchers of a process. */
export function createWatchers({ stopping, max = MAX_WATCHERS, fair = false }: WatchersOptions): Watchers {
  const maxOfOne = fair ? Math.ceil(max * FAIR_SHARE) : max;
  /** Each with its organization. */
  const watchers = new Map<Watcher, string>();
  stopping.addEventListener('abort', () => {
    for (const watcher of watchers.keys()) watcher.end();
  });
  return {
    open(organizationId) {
      if (stopping.aborted || watchers.size >= max) return 'full';
      const ofOne = [...watchers.values()].filter((owner) => owner === organizationId);
      if (ofOne.length >= maxOfOne) return 'share-used-up';
      const watcher = new Watcher();
      watchers.set(watcher, organizationId);
      watcher.ended.addEventListener('abort', () => watchers.delete(watcher));
      return watcher;
    },
    get size() {
      return watchers.size;
    },
  };
}
