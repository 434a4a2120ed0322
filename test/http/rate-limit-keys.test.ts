import { expect } from 'vitest';
import { API_ROLE } from '../../src/db/tenant.ts';
import { createRateLimiter } from '../../src/rate-limit/limiter.ts';
import { createKeyedApi, type KeyedApi, makeKey, makeOperatorKey, test as base } from '../support/keyed-api.ts';
import { expectProblem } from '../support/problem.ts';

const test = base.extend<{ limited: KeyedApi }>({
  limited: async ({ database }, use) => {
    const rateLimiter = createRateLimiter({ requests: 2, seconds: 60 }, () => 0);
    const api = createKeyedApi(database, { slots: 0, rateLimiter }, API_ROLE);
    await use(api);
    await api.close();
  },
});

const LIST = '/api/leads';
const statuses = async (times: number, call: () => Promise<{ status: number }>) => {
  const answers = [];
  for (let i = 0; i < times; i += 1) answers.push((await call()).status);
  return answers;
};

test('each key is counted for itself, wherever its requests come from', async ({ limited, database }) => {
  const [first, second] = [await makeKey(database), await makeKey(database)];
  expect(await statuses(3, () => limited.as(first)('GET', LIST))).toEqual([200, 200, 429]);
  expect(await statuses(3, () => limited.as(second)('GET', LIST))).toEqual([200, 200, 429]);
});

test('an operator is not counted: a board looks often', async ({ limited, database }) => {
  const operator = await makeOperatorKey(database);
  expect(await statuses(4, () => limited.as(operator)('GET', '/ops/audit'))).toEqual([200, 200, 200, 200]);
  const guess = operator.replace(/.{43}$/, 'A'.repeat(43));
  expect(await statuses(3, () => limited.as(guess)('GET', '/ops/audit'))).toEqual([401, 401, 429]);
});

test('who tries keys is counted by address, and soon told nothing any more', async ({ limited, database }) => {
  const key = await makeKey(database);
  const guess = key.replace(/.{43}$/, 'A'.repeat(43));
  expect(await statuses(1, () => limited.as(guess)('GET', LIST))).toEqual([401]);
  expect(await statuses(2, () => limited.as(undefined)('GET', LIST))).toEqual([401, 429]);
  const refused = await limited.as(guess)('GET', LIST);
  expectProblem(refused, 429, 'rate-limited');
  expect(refused.headers.get('retry-after')).toBe('60');
  // Whoever shares the address, and has a good key, is not held up.
  expect((await limited.as(key)('GET', LIST)).status).toBe(200);
});

test('a refused key is told where its address stands', async ({ limited }) => {
  const { status, headers } = await limited.as('nonsense')('GET', LIST);
  expect([status, headers.get('ratelimit')]).toEqual([401, '"default";r=1;t=60']);
});
