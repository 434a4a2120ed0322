import { randomUUID } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import { describe, expect } from 'vitest';
import { createPool } from '../../src/db/pool.ts';
import { freePort } from '../../src/local/ports.ts';
import { connectionStringOf } from '../../src/local/postgres/postgres.ts';
import { createRateLimiter, type RateLimiter } from '../../src/rate-limit/limiter.ts';
import { removeEnded, shareCounts, shareOnce } from '../../src/rate-limit/share.ts';
import { test } from '../support/api.ts';
import { recordLog } from '../support/log.ts';
import { recordStatements } from '../support/statements.ts';
import { startTcpProxy } from '../support/tcp-proxy.ts';

const take = (limiter: RateLimiter, who: string, times: number) =>
  Array.from({ length: times }, () => limiter.take(who)).filter(({ allowed }) => allowed).length;

const twoLimiters = (requests: number, seconds = 60) =>
  [createRateLimiter({ requests, seconds }), createRateLimiter({ requests, seconds })] as const;

describe('two processes', () => {
  test('add up what they let through, and then refuse together', async ({ database: { pool, prisma } }) => {
    const [one, other] = twoLimiters(10);
    const who = randomUUID();
    expect([take(one, who, 6), take(other, who, 3)]).toEqual([6, 3]);
    for (const limiter of [one, other, one]) await shareOnce({ limiter, pool });
    expect(await prisma.rateLimit.findUniqueOrThrow({ where: { who } })).toMatchObject({ count: 9 });

    take(one, who, 1);
    await shareOnce({ limiter: one, pool });
    expect([take(one, who, 5), take(other, who, 5)]).toEqual([0, 1]); // the other asks again with its next request
    await shareOnce({ limiter: other, pool });
    expect([take(one, who, 5), take(other, who, 5)]).toEqual([0, 0]);
  });

  test('end a window together, when the first of them began it', async ({ database: { pool, prisma } }) => {
    const [one, other] = twoLimiters(10);
    const who = randomUUID();
    take(one, who, 1);
    await shareOnce({ limiter: one, pool });
    await prisma.rateLimit.update({ where: { who }, data: { resetsAt: new Date(Date.now() + 20_000) } });
    take(other, who, 1);
    await shareOnce({ limiter: other, pool });
    const { remaining, resetsInMs } = other.take(who);
    expect(remaining).toBe(7);
    expect(resetsInMs).toBeLessThan(21_000);
  });

  test('begin anew when the window has ended', async ({ database: { pool, prisma } }) => {
    const [limiter] = twoLimiters(10);
    const who = randomUUID();
    await prisma.rateLimit.create({ data: { who, count: 10, resetsAt: new Date(Date.now() - 1) } });
    const before = Date.now();
    take(limiter, who, 2);
    await shareOnce({ limiter, pool });
    expect(limiter.take(who).remaining).toBe(7);
    const row = await prisma.rateLimit.findUniqueOrThrow({ where: { who } });
    expect(row.count).toBe(2);
    expect(row.resetsAt.getTime()).toBeGreaterThan(before + 50_000);
  });

  test('do not block each other, whatever the order in which callers came', async ({ database: { pool, prisma } }) => {
    const [one, other] = twoLimiters(1_000);
    const callers = Array.from({ length: 200 }, () => randomUUID());
    for (let round = 0; round < 10; round += 1) {
      for (const who of callers) take(one, who, 10);
      for (const who of callers.toReversed()) take(other, who, 10);
      await Promise.all([one, other].map((limiter) => shareOnce({ limiter, pool })));
    }
    const rows = await prisma.rateLimit.findMany({ where: { who: { in: callers } } });
    expect(new Set(rows.map(({ count }) => count))).toEqual(new Set([200]));
  });
});

describe('what is written', () => {
  test('is one statement for all callers, and none when there is nothing to tell', async ({ database: { pool } }) => {
    const [limiter] = twoLimiters(10);
    const statements = recordStatements();
    for (let i = 0; i < 500; i += 1) limiter.take(randomUUID());
    await shareOnce({ limiter, pool });
    await shareOnce({ limiter, pool });
    expect(statements.map(({ text }) => text.slice(0, 22))).toEqual(['INSERT INTO rate_limit']);
  });

  test('is removed when its window has ended, but for what is just being written', async ({ database }) => {
    const { pool, prisma } = database;
    const [ended, busy, open] = [randomUUID(), randomUUID(), randomUUID()];
    const at = (ms: number) => new Date(Date.now() + ms);
    const rows = [
      { who: ended, count: 1, resetsAt: at(-1) },
      { who: busy, count: 1, resetsAt: at(-1) },
      { who: open, count: 1, resetsAt: at(60_000) },
    ];
    await prisma.rateLimit.createMany({ data: rows });
    await prisma.$transaction(async (tx) => {
      await tx.rateLimit.update({ where: { who: busy }, data: { count: 2 } });
      await removeEnded(pool);
    });
    const left = await prisma.rateLimit.findMany({ where: { who: { in: [ended, busy, open] } } });
    expect(left.map(({ who }) => who).toSorted()).toEqual([busy, open].toSorted());
  });
});

describe('without Postgres', () => {
  test('the limit holds in each process, and what was not told is told once it is back', async ({ database }) => {
    const [one, other] = twoLimiters(10);
    const nowhere = createPool({
      connectionString: `postgres://nobody@127.0.0.1:${await freePort()}/none`,
      max: 1,
      applicationName: 'nowhere',
      onError: () => undefined,
    });
    const who = randomUUID();
    take(one, who, 6);
    await expect(shareOnce({ limiter: one, pool: nowhere })).rejects.toThrow();
    expect(take(one, who, 20)).toBe(4);
    await nowhere.end();

    await shareOnce({ limiter: one, pool: database.pool });
    take(other, who, 1);
    await shareOnce({ limiter: other, pool: database.pool });
    expect(take(other, who, 1)).toBe(0);
  });

  test('it is said once that counts are not shared, and once that they are again', async ({ database }) => {
    const { port, pathname } = new URL(database.url);
    const proxy = await startTcpProxy(Number(port));
    const pool = createPool({
      connectionString: connectionStringOf(proxy.port, pathname.slice(1)),
      max: 1,
      applicationName: 'proxied',
      onError: () => undefined,
    });
    const { log, lines } = recordLog();
    const [limiter] = twoLimiters(1_000_000);
    const sharing = shareCounts({ limiter, pool, log });
    const busy = setInterval(() => take(limiter, 'busy', 10_000), 100);
    const said = () => lines.map(({ msg }) => msg);

    proxy.setSilent(true);
    await expect.poll(said).not.toEqual([]);
    const refused = 'rate limits are not shared: each process holds them by itself';
    await setTimeout(4_500); // the time for it to fail once more
    expect(said()).toEqual([refused]);
    proxy.setSilent(false);
    await expect.poll(said).toEqual([refused, 'rate limits are shared again']);

    clearInterval(busy);
    await sharing.stop();
    await pool.end();
    await proxy.close();
  });
});
