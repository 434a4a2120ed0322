import { ignoreOutage, QUIET_MS, RETRY_MS } from '../streams/follow.ts';
import type { readInbox } from './inbox.ts';
import type { Watcher } from '../streams/watcher.ts';

/** Notifications that one read takes: what is held in memory for a client that reads slowly. */
export const READ_AT_ONCE = 100;
export type InboxRead = Awaited<ReturnType<typeof readInbox>>;

export interface InboxChange extends InboxRead {
  /** The number up to which the follower has all. */
  position: number;
}

export interface FollowOptions {
  /** Reads what came after a number. */
  read: (after: number) => Promise<InboxRead>;
  after: number;
  /** As the client knows it. */
  unreadCount: number;
  watcher: Watcher;
}

/**
 * Follows an inbox from a number on, until the watcher ends: every notification once, in the order of their numbers,
 * and how many are unread whenever that changes. Undefined for a while in which nothing happened. While Postgres is
 * away nothing happens.
 * @throws what `read` throws, but for faults of the database
 */
export async function* followInbox(options: FollowOptions): AsyncGenerator<InboxChange | undefined, void> {
  const { read, watcher } = options;
  let { after: position, unreadCount } = options;
  for (;;) {
    const found = await read(position).catch(ignoreOutage);
    if (found && (found.items.length > 0 || found.unreadCount !== unreadCount)) {
      position = found.items.at(-1)?.number ?? position;
      unreadCount = found.unreadCount;
      yield { ...found, position };
      if (found.items.length === READ_AT_ONCE) watcher.change();
    }
    const state = await watcher.next(found ? QUIET_MS : RETRY_MS);
    if (state === 'ended') return;
    if (state === 'quiet') yield undefined;
  }
}
