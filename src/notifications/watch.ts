import { EventEmitter } from 'node:events';
import type { Pool } from 'pg';
import { listen } from '../db/listen.ts';
import type { Logger } from '../telemetry/logger.ts';
import { type Inbox, INBOX_CHANNEL, inboxId } from './inbox-id.ts';
import { Watcher } from './watcher.ts';

/** Each is an open connection of a client. */
const MAX_WATCHERS = 1_000;
/** What one organization may have of them, where it is known which one asks. */
const FAIR_SHARE = 0.5;

/** Why there is no watcher: this process has no room for one, or none for one of this organization. */
export type WatchRefusal = 'full' | 'share-used-up';

export interface InboxWatch {
  /** Begins to watch an inbox, until the watcher ends. */
  watch(inbox: Inbox): Watcher | WatchRefusal;
  /** Watchers that have not ended. */
  readonly size: number;
  /** Stops listening. */
  close(): Promise<void>;
}

export interface InboxWatchOptions {
  pool: Pool;
  log: Logger;
  /** When it aborts, every watcher ends, and there are no new ones. */
  stopping: AbortSignal;
  maxWatchers?: number;
  /** True where one organization may have half of them at most. */
  fair?: boolean;
}

/** Watches the inboxes that are streamed from this process, over one connection, which the first of them opens. */
export function watchInboxes(options: InboxWatchOptions): InboxWatch {
  const { pool, log, stopping, maxWatchers = MAX_WATCHERS, fair = false } = options;
  const maxOfOne = fair ? Math.ceil(maxWatchers * FAIR_SHARE) : maxWatchers;
  /** Each with its organization. */
  const watchers = new Map<Watcher, string>();
  const changes = new EventEmitter().setMaxListeners(0);
  let stopListening: (() => Promise<void>) | undefined;

  const onMessage = (id: string) => void changes.emit(id);
  const onConnected = () => {
    for (const watcher of watchers.keys()) watcher.change();
  };
  stopping.addEventListener('abort', () => {
    for (const watcher of watchers.keys()) watcher.end();
  });

  return {
    watch(inbox) {
      if (stopping.aborted || watchers.size >= maxWatchers) return 'full';
      const ofOne = [...watchers.values()].filter((organizationId) => organizationId === inbox.organizationId);
      if (ofOne.length >= maxOfOne) return 'share-used-up';
      stopListening ??= listen(pool, INBOX_CHANNEL, { onMessage, onConnected }, log);
      const watcher = new Watcher();
      const [id, onChange] = [inboxId(inbox), () => watcher.change()];
      watchers.set(watcher, inbox.organizationId);
      changes.on(id, onChange);
      watcher.ended.addEventListener('abort', () => {
        watchers.delete(watcher);
        changes.off(id, onChange);
      });
      return watcher;
    },
    get size() {
      return watchers.size;
    },
    async close() {
      await stopListening?.();
    },
  };
}
