import { setTimeout as sleep } from 'node:timers/promises';
import type { Pool } from 'pg';
import { type Inbox, INBOX_CHANNEL, inboxId } from './inbox-id.ts';

/** Postgres takes one lock for the whole server when a transaction that notifies commits. */
const THROTTLE_MS = 100;

export interface InboxAnnouncer {
  /** Tells streams that an inbox has changed. Call it after the commit. Never throws: streams also look by themselves. */
  announce(inbox: Inbox): void;
  /** Resolves when all of it has been told. */
  idle(): Promise<void>;
}

/**
 * Announces changes of inboxes with NOTIFY, in a transaction of its own and not that of the change, so that no step
 * waits for the lock that notifying takes: at once, and then whatever came within 100 ms in one statement.
 */
export function createInboxAnnouncer(pool: Pool): InboxAnnouncer {
  const changed = new Set<string>();
  let telling: Promise<void> | undefined;

  async function tell(): Promise<void> {
    while (changed.size > 0) {
      const ids = [...changed];
      changed.clear();
      const text = `SELECT pg_notify('${INBOX_CHANNEL}', id) FROM unnest($1::text[]) AS id`;
      await pool.query(text, [ids]).catch(() => undefined);
      await sleep(THROTTLE_MS);
    }
    telling = undefined;
  }

  return {
    announce(inbox) {
      changed.add(inboxId(inbox));
      telling ??= tell();
    },
    async idle() {
      await telling;
    },
  };
}
