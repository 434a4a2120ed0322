import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { expect, onTestFinished } from 'vitest';
import { createShare } from '../../src/db/fair-share.ts';
import { API_ROLE } from '../../src/db/tenant.ts';
import { TELLING_RULES, fillScored } from '../support/scores.ts';
import type { TestDatabase } from '../support/database.ts';
import { follow } from '../support/event-source.ts';
import { createKeyedApi, makeKey, testWithoutStarts as test } from '../support/keyed-api.ts';
import { PATIENCE_MS } from '../support/patience.ts';
import { listen } from '../support/server.ts';
import { expectProblem } from '../support/problem.ts';
import { takeIn } from '../support/onboarding.ts';

/** An API with two organizations. */
async function startApi(database: TestDatabase, waitMs = 50) {
  const share = createShare({ atOnce: 5, waitMs });
  const api = createKeyedApi(database, { slots: 0, share }, API_ROLE);
  onTestFinished(() => api.close());
  const [greedy, other] = [`org-${randomUUID()}`, `org-${randomUUID()}`];
  const [key, otherKey] = [
    await makeKey(database, { organizationId: greedy }),
    await makeKey(database, { organizationId: other }),
  ];
  return { api, share, greedy: { organizationId: greedy, key, call: api.as(key) }, otherKey, other: api.as(otherKey) };
}

test('an organization whose requests hang takes half of the connections, and is told so; another is served', async ({
  database,
}) => {
  const { greedy, other } = await startApi(database);
  const { leadId } = await takeIn(database, { organizationId: greedy.organizationId });
  const holder = await database.pool.connect();
  await holder.query('BEGIN');
  await holder.query('SELECT 1 FROM lead WHERE id = $1 FOR UPDATE', [leadId]);

  const changes = Array.from({ length: 20 }, (_, n) => greedy.call('PATCH', `/api/leads/${leadId}`, { name: `n${n}` }));
  const refused = await Promise.any(changes);
  expectProblem(refused, 429, 'rate-limited');
  expect(refused.headers.get('retry-after')).toBe('1');
  expect((refused.body as { detail: string }).detail).toMatch(/^Your organization has as many requests under way/);
  expect((await other('GET', '/api/leads')).status).toBe(200);
  const intake = await greedy.call('POST', '/api/leads', { organizationId: greedy.organizationId, name: 'Ana' });
  expectProblem(intake, 429, 'rate-limited');

  await holder.query('COMMIT');
  holder.release();
  const statuses = (await Promise.all(changes)).map(({ status }) => status).toSorted();
  expect(statuses).toEqual([...Array<number>(5).fill(200), ...Array<number>(15).fill(429)]);
  expect((await greedy.call('GET', '/api/leads')).status).toBe(200);
});

test('an organization that waits for its share holds up no stream of another', async ({ database }) => {
  const { api, share, greedy, otherKey } = await startApi(database, 10 * PATIENCE_MS);
  const server = await listen(api);
  const end = new AbortController();
  const places = Array.from({ length: 5 }, () => share(greedy.organizationId, () => once(end.signal, 'abort')));
  const paths = ['/api/events/stream', '/api/notifications/stream?userId=user-456'];
  const begins = (path: string, key: string) =>
    follow(`${server.url}${path}`, { authorization: `Bearer ${key}` }).opened;
  for (const path of paths) for (let stream = 0; stream < 5; stream += 1) begins(path, greedy.key);
  for (const path of paths) await expect.poll(begins(path, otherKey)).toBe(1);
  end.abort();
  await Promise.all(places);
});

test('an organization has one dry run at once, so that another finds room for its own', async ({ database }) => {
  const { greedy, other } = await startApi(database);
  await fillScored(database.pool, greedy.organizationId, 1_000);
  const [first, second, others] = await Promise.all([
    greedy.call('POST', '/api/score-rules/dry-run', TELLING_RULES),
    greedy.call('POST', '/api/score-rules/dry-run', TELLING_RULES),
    other('POST', '/api/score-rules/dry-run', TELLING_RULES),
  ]);
  expect([first.status, second.status, others.status]).toEqual([200, 429, 200]);
  expect(second.headers.get('retry-after')).toBe('3');
});
