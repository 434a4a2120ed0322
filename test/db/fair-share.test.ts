import { setImmediate as others } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { createShare, ShareUsedUp } from '../../src/db/fair-share.ts';

const PATIENT = 60_000;

/** Work that ends when it is told to. */
function createWork() {
  const begun: string[] = [];
  let end = () => {};
  const promise = new Promise<void>((resolve) => (end = resolve));
  const work = (name: string) => () => {
    begun.push(name);
    return promise;
  };
  return { begun, work, end: () => end() };
}

describe('a share', () => {
  test('holds one organization back, and no other', async () => {
    const share = createShare({ atOnce: 2, waitMs: PATIENT });
    const { begun, work, end } = createWork();
    const all = ['a1', 'a2', 'a3', 'b1'].map((name) => share(name.slice(0, 1), work(name)));
    await others();
    expect(begun).toEqual(['a1', 'a2', 'b1']);
    end();
    await Promise.all(all);
    expect(begun).toEqual(['a1', 'a2', 'b1', 'a3']);
  });

  test('is refused to what has waited too long, which then takes nobody its turn', async () => {
    const share = createShare({ atOnce: 1, waitMs: 1 });
    const { begun, work, end } = createWork();
    const first = share('a', work('first'));
    await expect(share('a', work('late'))).rejects.toThrow(ShareUsedUp);
    end();
    await first;
    await share('a', work('next'));
    expect(begun).toEqual(['first', 'next']);
  });

  test('is given back by work that fails', async () => {
    const share = createShare({ atOnce: 1, waitMs: PATIENT });
    const failing = [1, 2, 3].map((n) => share('a', () => Promise.reject(new Error(`broken ${n}`))));
    const failed = await Promise.allSettled(failing);
    expect(failed.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected']);
    expect(await share('a', () => Promise.resolve('done'))).toBe('done');
  });
});
