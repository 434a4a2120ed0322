import { EventEmitter } from 'node:events';
import type { Pool } from 'pg';
import { listen } from '../db/listen.ts';
import type { Logger } from '../telemetry/logger.ts';
import { type Inbox, INBOX_CHANNEL, inboxId } from './inbox-id.ts';
import { Watcher } from './watcher.ts';

/** Each is an open connection of a client. */
const MAX_WATCHERS = 1_000;

export interface InboxWatch {
  /** Begins to watch an inbox, until the watcher ends. @returns undefined when this process takes no more of them. */
  watch(inbox: Inbox): Watcher | undefined;
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
}

/** Watches the inboxes that are streamed from this process, over one connection, which the first of them opens. */
export function watchInboxes({ pool, log, stopping, maxWatchers = MAX_WATCHERS }: InboxWatchOptions): InboxWatch {
  const watchers = new Set<Watcher>();
  const changes = new EventEmitter().setMaxListeners(0);
  let stopListening: (() => Promise<void>) | undefined;

  const onMessage = (id: string) => void changes.emit(id);
  const onConnected = () => {
    for (const watcher of watchers) watcher.change();
  };
  stopping.addEventListener('abort', () => {
    for (const watcher of watchers) watcher.end();
  });

  return {
    watch(inbox) {
      if (stopping.aborted || watchers.size >= maxWatchers) return undefined;
      stopListening ??= listen(pool, INBOX_CHANNEL, { onMessage, onConnected }, log);
      const watcher = new Watcher();
      const [id, onChange] = [inboxId(inbox), () => watcher.change()];
      watchers.add(watcher);
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
