import { setImmediate as others } from 'node:timers/promises';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { ShareUsedUp } from '../../src/db/fair-share.ts';
import { type GroupOptions, inGroups } from '../../src/db/groups.ts';

const PATIENT = 60_000;

/** Groups whose work ends when it is told to, with an answer that names the item. */
function createGroups(options: Partial<GroupOptions> = {}) {
  const groups: string[] = [];
  const ends: ((err?: Error) => void)[] = [];
  const take = inGroups<string, string>({ atOnce: 1, most: 10, waitMs: PATIENT, ...options }, async (lane, items) => {
    groups.push(`${lane}: ${items.join(' ')}`);
    await new Promise<void>((resolve, reject) => ends.push((err) => (err ? reject(err) : resolve())));
    return items.map((item) =>
      item === 'bad'
        ? { status: 'rejected', reason: new Error('bad itself') }
        : { status: 'fulfilled', value: `did ${item}` },
    );
  });
  return { groups, take, end: (err?: Error) => ends.shift()?.(err) };
}

describe('groups', () => {
  test('have one item alone when nothing is under way, and then all that came meanwhile', async () => {
    const { groups, take, end } = createGroups();
    const all = ['1', '2', '3'].map((item) => take('a', item));
    expect(groups).toEqual(['a: 1']);
    end();
    await others();
    expect(groups).toEqual(['a: 1', 'a: 2 3']);
    end();
    expect(await Promise.all(all)).toEqual(['did 1', 'did 2', 'did 3']);
    const next = take('a', '4');
    expect(groups.at(-1)).toBe('a: 4');
    end();
    expect(await next).toBe('did 4');
  });

  test('are of one lane each, so many at once and of so many items at most', async () => {
    const { groups, take, end } = createGroups({ atOnce: 2, most: 2 });
    const all = ['1', '2', '3', '4', '5'].map((item) => take('a', item));
    all.push(take('b', '1'));
    expect(groups).toEqual(['a: 1', 'a: 2', 'b: 1']);
    for (let each = 0; each < 6; each += 1) {
      end();
      await others();
    }
    expect(groups.slice(3)).toEqual(['a: 3 4', 'a: 5']);
    await Promise.all(all);
  });

  test('fail for each item alone where one is bad, and for all where the work fails; the lane goes on', async () => {
    const { take, end } = createGroups();
    const first = Promise.allSettled([take('a', '1'), take('a', 'bad'), take('a', '2')]);
    const broken = new Error('broken');
    end();
    await others();
    end();
    expect(await first).toMatchObject([{ value: 'did 1' }, { reason: { message: 'bad itself' } }, { value: 'did 2' }]);
    const second = Promise.allSettled([take('a', '1'), take('a', '2'), take('a', '3')]);
    end();
    await others();
    end(broken);
    expect(await second).toMatchObject([{ value: 'did 1' }, { reason: broken }, { reason: broken }]);
    const last = take('a', '4');
    end();
    expect(await last).toBe('did 4');
  });

  test('leave out what has waited too long: it is refused, and not done', async () => {
    const { groups, take, end } = createGroups({ waitMs: 1_500 });
    vi.useFakeTimers({ toFake: ['performance'] });
    onTestFinished(() => void vi.useRealTimers());
    const first = take('a', '1');
    const late = expect(take('a', 'late')).rejects.toThrow(ShareUsedUp);
    vi.advanceTimersByTime(1_501);
    end();
    await Promise.all([first, late]);
    expect(groups).toEqual(['a: 1']);
    const next = take('a', '2');
    end();
    expect(await next).toBe('did 2');
  });
});
