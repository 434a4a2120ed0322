import { describe, expect, onTestFinished } from 'vitest';
import { createRateLimiter, type RateLimit } from '../../src/rate-limit/limiter.ts';
import { shareOnce } from '../../src/rate-limit/share.ts';
import { createTestApi, test as base, type TestApi } from '../support/api.ts';
import type { TestDatabase } from '../support/database.ts';
import { expectProblem } from '../support/problem.ts';
import { countRows } from '../support/rows.ts';
import { listen } from '../support/server.ts';
import { recordStatements } from '../support/statements.ts';

const test = base.extend<{ limited: (limit: RateLimit, now?: () => number) => TestApi }>({
  limited: async ({ database }, use) => {
    const apis: TestApi[] = [];
    await use((limit, now) => {
      const api = createTestApi(database, {
        slots: 0,
        trustedProxies: ['127.0.0.1'],
        rateLimiter: createRateLimiter(limit, now),
      });
      apis.push(api);
      return api;
    });
    for (const api of apis) await api.close();
  },
});

const LIST = '/api/leads?organizationId=org-1';
const standingOf = (headers: Headers) => ['ratelimit-policy', 'ratelimit', 'retry-after'].map((n) => headers.get(n));

describe('who asks too often', () => {
  test('is told where it stands with each answer, and then to wait', async ({ limited }) => {
    const api = limited({ requests: 2, seconds: 60 }, () => 0);
    const answers = [
      await api.call('GET', LIST),
      await api.call('GET', '/api/leads/nonsense'),
      await api.call('GET', LIST),
    ];
    expect(answers.map(({ status }) => status)).toEqual([200, 400, 429]);
    const policy = '"default";q=2;w=60';
    expect(answers.map(({ headers }) => standingOf(headers))).toEqual([
      [policy, '"default";r=1;t=60', null],
      [policy, '"default";r=0;t=60', null],
      [policy, '"default";r=0;t=60', '60'],
    ]);
    expectProblem(answers[2] as (typeof answers)[0], 429, 'rate-limited');
  });

  test('is let in again after what Retry-After says', async ({ limited }) => {
    let now = 1_000;
    const api = limited({ requests: 1, seconds: 1 }, () => now);
    await api.call('GET', LIST);
    const { status, headers } = await api.call('GET', LIST);
    expect([status, headers.get('retry-after')]).toEqual([429, '1']);
    now += 1_000;
    expect((await api.call('GET', LIST)).status).toBe(200);
  });

  test('costs no query, and stores nothing', async ({ limited, database }) => {
    const api = limited({ requests: 1, seconds: 60 });
    await api.call('GET', LIST);
    const before = await countRows(database);
    const statements = recordStatements();
    expect((await api.call('POST', '/api/leads', { organizationId: 'org-1', name: 'Ana' })).status).toBe(429);
    expect(statements).toEqual([]);
    expect(await countRows(database)).toEqual(before);
  });

  test('still gets health and documentation, which are not counted', async ({ limited }) => {
    const api = limited({ requests: 1, seconds: 60 });
    await api.call('GET', LIST);
    for (const path of ['/healthz', '/readyz', '/openapi.json', '/docs', '/docs/swagger-ui.css']) {
      const { status, headers } = await api.call('GET', path);
      expect({ path, status, standing: standingOf(headers) }).toEqual({
        path,
        status: 200,
        standing: [null, null, null],
      });
    }
    expect((await api.call('GET', '/forms/token')).status).toBe(429);
  });
});

describe('whom a request counts for', () => {
  const statuses = async ({ url }: { url: string }, ...addresses: string[]) => {
    const found: number[] = [];
    for (const address of addresses) {
      found.push((await fetch(url + LIST, { headers: { 'x-forwarded-for': address } })).status);
    }
    return found;
  };

  test('is the address, as a trusted proxy tells it', async ({ limited }) => {
    const server = await listen(limited({ requests: 1, seconds: 60 }));
    expect(await statuses(server, '203.0.113.1', '203.0.113.2', '203.0.113.1', '203.0.113.3, 203.0.113.2')).toEqual([
      ...[200, 200, 429, 429],
    ]);
    await server.close();
  });

  test('is the network of an IPv6 address: one customer has all of it', async ({ limited }) => {
    const server = await listen(limited({ requests: 1, seconds: 60 }));
    expect(await statuses(server, '2001:db8:0:1::1', '2001:db8:0:1:ffff::2', '2001:db8:0:2::1')).toEqual([
      200, 429, 200,
    ]);
    await server.close();
  });

  test('is the true address when the caller makes one up', async ({ database }) => {
    const api = createTestApi(database, { slots: 0, rateLimiter: createRateLimiter({ requests: 1, seconds: 60 }) });
    const server = await listen(api);
    expect(await statuses(server, '203.0.113.1', '203.0.113.2')).toEqual([200, 429]);
    await server.close();
    await api.close();
  });
});

describe('two API processes on one database', () => {
  async function start({ pool, prisma }: TestDatabase, limit: RateLimit) {
    const limiter = createRateLimiter(limit);
    const api = createTestApi({ pool, prisma }, { slots: 0, rateLimiter: limiter });
    const server = await listen(api);
    onTestFinished(async () => {
      await server.close();
      await api.close();
    });
    return { url: server.url, share: () => shareOnce({ limiter, pool }) };
  }

  test('hold the limit together, but for what comes between two times of sharing', async ({ database }) => {
    const limit = { requests: 40, seconds: 600 };
    const processes = [await start(database, limit), await start(database, limit)];
    const allowed = [0, 0];
    for (let turn = 1; ; turn += 1) {
      const answers = await Promise.all(processes.map(({ url }) => fetch(url + LIST)));
      for (const [i, { status }] of answers.entries()) allowed[i] = (allowed[i] ?? 0) + (status === 200 ? 1 : 0);
      if (answers.every(({ status }) => status === 429)) break;
      if (turn % 5 === 0) for (const { share } of processes) await share();
    }
    const [one = 0, other = 0] = allowed;
    expect(one + other).toBeGreaterThanOrEqual(40);
    expect(one + other).toBeLessThanOrEqual(40 + 2 * 5);
    expect(Math.min(one, other)).toBeGreaterThan(10);
    const { count } = await database.prisma.rateLimit.findUniqueOrThrow({ where: { who: 'address:127.0.0.1' } });
    expect(count).toBeGreaterThanOrEqual(40);
  });
});
