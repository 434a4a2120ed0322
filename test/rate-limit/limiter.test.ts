import { heapMiB } from '../support/memory.ts';
import { describe, expect, it } from 'vitest';
import { createRateLimiter } from '../../src/rate-limit/limiter.ts';

/** A limiter whose clock a test moves. */
function limiterAt(requests: number, seconds: number) {
  const clock = { now: 1_000 };
  return { clock, limiter: createRateLimiter({ requests, seconds }, () => clock.now) };
}

describe('one process by itself', () => {
  it('lets so many requests through in a window, tells how many are left, and refuses the rest', () => {
    const { limiter } = limiterAt(3, 60);
    const standings = Array.from({ length: 5 }, () => limiter.take('a'));
    expect(standings.map(({ allowed }) => allowed)).toEqual([true, true, true, false, false]);
    expect(standings.map(({ remaining }) => remaining)).toEqual([2, 1, 0, 0, 0]);
    expect(standings.map(({ resetsInMs }) => resetsInMs)).toEqual(Array(5).fill(60_000));
  });

  it('counts each caller alone', () => {
    const { limiter } = limiterAt(1, 60);
    expect(['a', 'b', 'a', 'b'].map((who) => limiter.take(who).allowed)).toEqual([true, true, false, false]);
  });

  it('begins a new window with the first request after the old one has ended', () => {
    const { clock, limiter } = limiterAt(1, 60);
    limiter.take('a');
    clock.now += 59_999;
    expect(limiter.take('a')).toEqual({ allowed: false, remaining: 0, resetsInMs: 1 });
    clock.now += 1;
    expect(limiter.take('a')).toEqual({ allowed: true, remaining: 0, resetsInMs: 60_000 });
  });

  it('is not worn down by a million addresses: it forgets the oldest, and goes on refusing who goes on asking', () => {
    const { limiter } = limiterAt(2, 60);
    limiter.take('early');
    const before = heapMiB();
    for (let i = 0; i < 1_000_000; i += 1) {
      limiter.take(`address:2001:db8:${(i >> 16).toString(16)}:${(i & 0xffff).toString(16)}::/64`);
      if (i % 10_000 === 0) limiter.take('busy');
    }
    expect(heapMiB() - before).toBeLessThan(100);
    expect(limiter.take('busy').allowed).toBe(false);
    expect(limiter.take('early').remaining).toBe(1);
  });
});

describe('what is told to the other processes', () => {
  it('is each request of a low limit, and of a high one a hundredth of it at once', () => {
    const low = limiterAt(100, 60).limiter;
    low.take('a');
    expect(low.takeUntold(10)).toEqual([{ who: 'a', count: 1, resetsInMs: 60_000 }]);

    const high = limiterAt(600, 60).limiter;
    for (let i = 0; i < 5; i += 1) high.take('a');
    expect(high.takeUntold(10)).toEqual([]);
    high.take('a');
    expect(high.takeUntold(10)).toEqual([{ who: 'a', count: 6, resetsInMs: 60_000 }]);
    expect(high.takeUntold(10)).toEqual([]);
  });

  it('leaves out what was refused', () => {
    const { limiter } = limiterAt(1, 60);
    for (let i = 0; i < 5; i += 1) limiter.take('a');
    expect(limiter.takeUntold(10)).toMatchObject([{ who: 'a', count: 1 }]);
  });

  it('comes in portions', () => {
    const { limiter } = limiterAt(1, 60);
    for (const who of ['a', 'b', 'c']) limiter.take(who);
    expect([limiter.takeUntold(2), limiter.takeUntold(2)].map((portion) => portion.map(({ who }) => who))).toEqual([
      ['a', 'b'],
      ['c'],
    ]);
  });

  it('is told later when it could not be told, together with what came since', () => {
    const { limiter } = limiterAt(10, 60);
    limiter.take('a');
    const untold = limiter.takeUntold(10);
    limiter.take('a');
    limiter.returnUntold(untold);
    expect(limiter.takeUntold(10)).toEqual([{ who: 'a', count: 2, resetsInMs: 60_000 }]);
  });

  it('is nothing of a window that has ended, nor of a caller that was forgotten', () => {
    const { clock, limiter } = limiterAt(10, 60);
    limiter.take('a');
    clock.now += 60_000;
    expect(limiter.takeUntold(10)).toEqual([]);
    limiter.returnUntold([{ who: 'nobody', count: 1, resetsInMs: 1 }]);
    limiter.adopt([{ who: 'nobody', count: 10, resetsInMs: 1 }]);
    expect(limiter.take('nobody').remaining).toBe(9);
  });
});

describe('what the other processes tell', () => {
  it('counts, with what came here since, until the window of all of them ends', () => {
    const { clock, limiter } = limiterAt(10, 60);
    limiter.take('a');
    limiter.takeUntold(10);
    limiter.take('a');
    limiter.adopt([{ who: 'a', count: 8, resetsInMs: 5_000 }]);
    expect(limiter.take('a')).toEqual({ allowed: true, remaining: 0, resetsInMs: 5_000 });
    expect(limiter.take('a').allowed).toBe(false);
    clock.now += 5_000;
    expect(limiter.take('a').remaining).toBe(9);
  });

  it('can be more than the limit', () => {
    const { limiter } = limiterAt(10, 60);
    limiter.take('a');
    limiter.adopt([{ who: 'a', count: 14, resetsInMs: 5_000 }]);
    expect(limiter.take('a')).toEqual({ allowed: false, remaining: 0, resetsInMs: 5_000 });
  });
});
