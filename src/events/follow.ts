import { ignoreOutage, QUIET_MS, RETRY_MS } from '../streams/follow.ts';
import type { Watcher } from '../streams/watcher.ts';
import type { Position } from './position.ts';
import type { FeedPage } from './read-feed.ts';

export interface FollowFeedOptions {
  /** What is there already. */
  first: FeedPage;
  /** Reads what came after a place. */
  read: (after: Position) => Promise<FeedPage>;
  watcher: Watcher;
}

/**
 * Follows a feed on from a page, until the watcher ends: page by page, also one without events, each time that the feed
 * has come further, and now and then. While Postgres is away nothing happens.
 * @throws what `read` throws, but for faults of the database
 */
export async function* followFeed({ first, read, watcher }: FollowFeedOptions): AsyncGenerator<FeedPage, void> {
  let last = first;
  for (let page: FeedPage | undefined = first; ;) {
    if (page) {
      last = page;
      yield page;
      if (page.hasMore) watcher.change();
    }
    if ((await watcher.next(page ? QUIET_MS : RETRY_MS)) === 'ended') return;
    page = await read(last.next).catch(ignoreOutage);
  }
}
