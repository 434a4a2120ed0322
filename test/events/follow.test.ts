import { expect, it } from 'vitest';
import { followFeed } from '../../src/events/follow.ts';
import type { FeedPage } from '../../src/events/read-feed.ts';
import { Watcher } from '../../src/streams/watcher.ts';

const pageOf = (xid: bigint, hasMore: boolean): FeedPage => ({ items: [], next: { xid, seq: 0n }, hasMore });
const outage = Object.assign(new Error('connect'), { code: 'ECONNREFUSED' });

it('reads on at once while there is more, and waits between two reads while Postgres is away', async () => {
  const steps: (bigint | string)[] = [];
  const watcher = new (class extends Watcher {
    override async next(ms: number) {
      const state = await super.next(ms);
      steps.push(state);
      return state;
    }
  })();
  const answers = [pageOf(2n, true), outage, outage, pageOf(3n, false)];
  const read = async ({ xid }: FeedPage['next']) => {
    steps.push(xid);
    const answer = await Promise.resolve(answers.shift());
    if (!answer || answer instanceof Error) throw answer ?? new Error('one read too many');
    return answer;
  };
  for await (const { hasMore } of followFeed({ first: pageOf(1n, true), read, watcher })) {
    if (!hasMore) watcher.end();
  }
  expect(steps).toEqual(['changed', 1n, 'changed', 2n, 'quiet', 2n, 'quiet', 2n, 'ended']);
});
