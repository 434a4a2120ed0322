import { expect, it, vi } from 'vitest';
import { chosen, size, sizes } from '../../bench/support/sizes.ts';

const set = (value: string) => vi.stubEnv('BENCH_TEST', value);

it('sizes are taken from the environment, else as they are; what is no number above 0 is refused by name', () => {
  expect([size('BENCH_TEST', 3), sizes('BENCH_TEST', [1, 20])]).toEqual([3, [1, 20]]);
  set('5,0.5');
  expect([size('BENCH_TEST', 3), sizes('BENCH_TEST', [1, 20])]).toEqual([5, [5, 0.5]]);
  for (const wrong of ['many', '3,,4', '0', '-1']) {
    set(wrong);
    expect(() => size('BENCH_TEST', 3)).toThrow(/^BENCH_TEST takes numbers above 0/);
  }
  vi.unstubAllEnvs();
});

it('sides are named by their beginnings; a name that none begins with is refused', () => {
  const sides = [{ name: 'ours' }, { name: 'old design' }, { name: 'bare Hono' }];
  expect(chosen('BENCH_TEST', sides)).toEqual(sides);
  set('bare,ours');
  expect(chosen('BENCH_TEST', sides)).toEqual([{ name: 'ours' }, { name: 'bare Hono' }]);
  set('theirs');
  expect(() => chosen('BENCH_TEST', sides)).toThrow('BENCH_TEST names none of ours, old design, bare Hono');
  vi.unstubAllEnvs();
});
