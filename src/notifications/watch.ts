import { EventEmitter } from 'node:events';
import type { Pool } from 'pg';
import { listen } from '../db/listen.ts';
import type { Watcher } from '../streams/watcher.ts';
import type { WatchRefusal, Watchers } from '../streams/watchers.ts';
import type { Logger } from '../telemetry/logger.ts';
import { type Inbox, INBOX_CHANNEL, inboxId } from './inbox-id.ts';

export interface InboxWatch {
  /** Begins to watch an inbox, until the watcher ends. */
  watch(inbox: Inbox): Watcher | WatchRefusal;
  /** Stops listening. */
  close(): Promise<void>;
}

/** Watches the inboxes that are streamed from this process, over one connection, which the first of them opens. */
export function watchInboxes({ pool, log, watchers }: { pool: Pool; log: Logger; watchers: Watchers }): InboxWatch {
  const watching = new Set<Watcher>();
  const changes = new EventEmitter().setMaxListeners(0);
  let stopListening: (() => Promise<void>) | undefined;

  const onMessage = (id: string) => void changes.emit(id);
  const onListening = () => {
    for (const watcher of watching) watcher.change();
  };

  return {
    watch(inbox) {
      const watcher = watchers.open(inbox.organizationId);
      if (typeof watcher === 'string') return watcher;
      stopListening ??= listen(pool, INBOX_CHANNEL, { onMessage, onListening }, log);
      const [id, onChange] = [inboxId(inbox), () => watcher.change()];
      watching.add(watcher);
      changes.on(id, onChange);
      watcher.ended.addEventListener('abort', () => {
        watching.delete(watcher);
        changes.off(id, onChange);
      });
      return watcher;
    },
    async close() {
      await stopListening?.();
    },
  };
}
