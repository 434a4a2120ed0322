import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, inject, onTestFinished } from 'vitest';
import { createPool } from '../../src/db/pool.ts';
import { createPrisma } from '../../src/db/prisma.ts';
import type { Lead } from '../../src/leads/lead.ts';
import { freePort } from '../../src/local/ports.ts';
import { type Answer, createTestApi, newLead, testWithoutStarts as test, type TestApi } from '../support/api.ts';
import type { TestDatabase } from '../support/database.ts';
import { expectProblem } from '../support/problem.ts';
import { holdLead } from '../support/row-lock.ts';
import { within } from '../support/patience.ts';
import { startTcpProxy } from '../support/tcp-proxy.ts';

const UNKNOWN = randomUUID();

/** Every call that needs Postgres. */
const CALLS: [string, string, unknown?][] = [
  ['POST', '/api/leads', newLead()],
  ['GET', '/api/leads?organizationId=org-123'],
  ['GET', `/api/leads/${UNKNOWN}`],
  ['PATCH', `/api/leads/${UNKNOWN}`, { name: 'Ana' }],
  ['DELETE', `/api/leads/${UNKNOWN}`],
  ['GET', `/api/leads/${UNKNOWN}/export`],
  ['GET', `/api/leads/${UNKNOWN}/timeline`],
  ['GET', `/api/leads/${UNKNOWN}/onboarding`],
  ['POST', `/api/leads/${UNKNOWN}/onboarding/cancel`],
  ['POST', `/api/leads/${UNKNOWN}/onboarding/retry`],
  ['GET', '/api/notifications?organizationId=org-123&userId=user-456'],
  ['POST', `/api/notifications/${UNKNOWN}/read`],
  ['POST', '/api/notifications/read-all?organizationId=org-123&userId=user-456'],
  ['GET', '/readyz'],
];

const NOTHING_STORED = /^Nothing was stored/;
/** What is said when a statement was out that nobody answered; `/readyz` says which server it is. */
const OUTCOME_UNKNOWN = {
  POST: /may have been done.*would be done again: look first/,
  GET: NOTHING_STORED,
  'GET /readyz': /^Postgres does not answer/,
  other: /may have been done.*twice is no different from once/,
};

/** The API on the same database at another port, where something is wrong. */
function apiAt(port: number, database: TestDatabase, max = 20): TestApi {
  const url = new URL(database.url);
  url.port = String(port);
  const pool = createPool({ connectionString: url.href, max, applicationName: 'outage', onError: () => undefined });
  const api = createTestApi({ pool, prisma: createPrisma(pool) }, { slots: 0 });
  onTestFinished(async () => {
    await api.close();
    await pool.end();
  });
  return api;
}

async function proxyOf() {
  const proxy = await startTcpProxy(inject('postgresPort'));
  onTestFinished(() => proxy.close());
  return proxy;
}

/** The figure is printed: what has no deadline of ours would never be answered. */
async function timed(api: TestApi, [method, path, body]: (typeof CALLS)[number]) {
  const startedAt = performance.now();
  const what = `${method} ${path}`;
  const answer = await within(api.call<{ detail: string }>(method, path, body), `${what} waits for ever`);
  return { ...answer, what, durationMs: Math.round(performance.now() - startedAt) };
}

function expectUnavailable(answer: Awaited<ReturnType<typeof timed>>, detail: RegExp) {
  expectProblem(answer, 503, 'unavailable');
  expect(answer.headers.get('retry-after'), answer.what).toBe('1');
  expect(answer.text).not.toMatch(/prisma|connect|econn|timeout|terminated|127\.0/i);
  expect(answer.body.detail, answer.what).toMatch(detail);
  console.log(`${answer.what}: 503 after ${answer.durationMs} ms`);
}

function unknownOutcomeOf(what: string): RegExp {
  if (what === 'GET /readyz') return OUTCOME_UNKNOWN[what];
  if (what.startsWith('POST')) return OUTCOME_UNKNOWN.POST;
  return what.startsWith('GET') ? OUTCOME_UNKNOWN.GET : OUTCOME_UNKNOWN.other;
}

/** What `/readyz` found holds for a second. */
const untilReadyzLooksAgain = () => sleep(1_100);

const all = (api: TestApi) => Promise.all(CALLS.map((call) => timed(api, call)));

describe('while Postgres is away, every call is answered with 503, and nothing of the cause', () => {
  test('when nobody listens: nothing was stored', async ({ database }) => {
    const api = apiAt(await freePort(), database);
    await api.call('GET', `/api/leads/${UNKNOWN}`); // Prisma loads its query compiler with the first call
    for (const answer of await all(api)) {
      expectUnavailable(answer, answer.what === 'GET /readyz' ? OUTCOME_UNKNOWN['GET /readyz'] : NOTHING_STORED);
    }
  });

  test('when it takes connections and never answers: nothing was stored', async ({ database }) => {
    const proxy = await proxyOf();
    proxy.setSilent(true);
    for (const answer of await all(apiAt(proxy.port, database))) {
      expectUnavailable(answer, answer.what === 'GET /readyz' ? OUTCOME_UNKNOWN['GET /readyz'] : NOTHING_STORED);
    }
  });

  test('when it falls silent: a write may have been done; and all goes on at once when it is back', async ({
    database,
  }) => {
    const proxy = await proxyOf();
    const api = apiAt(proxy.port, database);
    const before = await all(api);
    expect(before.map(({ status }) => status)).not.toContain(503);
    proxy.setSilent(true);
    await untilReadyzLooksAgain();
    for (const answer of await all(api)) expectUnavailable(answer, unknownOutcomeOf(answer.what));
    proxy.setSilent(false);
    await untilReadyzLooksAgain();
    const after = await all(api);
    expect(after.map(({ status }) => status)).toEqual(before.map(({ status }) => (status === 201 ? 200 : status)));
  });

  test('when it falls silent in the middle of a transaction', async ({ api: direct, database }) => {
    const proxy = await proxyOf();
    const api = apiAt(proxy.port, database);
    const { body: lead } = await direct.call<Lead>('POST', '/api/leads', newLead());
    const row = await holdLead(database, lead.id);
    const patch = timed(api, ['PATCH', `/api/leads/${lead.id}`, { name: 'Ana' }]);
    await row.contended();
    proxy.setSilent(true);
    expectUnavailable(await patch, OUTCOME_UNKNOWN.other);
    await row.release();
    proxy.setSilent(false);
    expect((await api.call('PATCH', `/api/leads/${lead.id}`, { name: 'Ana' })).status).toBe(200);
  });

  test('when a call waits for a connection first, and for an answer on it then', async ({ database }) => {
    const proxy = await proxyOf();
    const api = apiAt(proxy.port, database, 1);
    await api.call('GET', `/api/leads/${UNKNOWN}`);
    proxy.setSilent(true);
    const first = timed(api, ['GET', `/api/leads/${UNKNOWN}`]);
    await sleep(1_500); // the next one gets the connection when this one is given up, and would wait for 5 s in all
    const answers = await Promise.all([first, timed(api, ['POST', '/api/leads', newLead()])]);
    for (const answer of answers) expectUnavailable(answer, /./);
  });
});

describe('a lead that was refused with "it may have been done"', () => {
  test('is stored once when it is sent again with its key', async ({ database }) => {
    const proxy = await proxyOf();
    const api = apiAt(proxy.port, database);
    const lead = newLead({ email: null });
    const key = { 'idempotency-key': randomUUID() };
    await api.call('GET', `/api/leads/${UNKNOWN}`);
    proxy.muteAnswers(true); // the statement arrives, its answer does not
    const refused = await api.call<{ detail: string }>('POST', '/api/leads', lead, key);
    expect(refused.body.detail).toMatch(/may have been done.*same Idempotency-Key: it is not done twice/);
    proxy.muteAnswers(false);
    const again: Answer<Lead> = await api.call('POST', '/api/leads', lead, key);
    expect(again.status).toBe(201);
    const { rows } = await database.pool.query('SELECT id FROM lead WHERE name = $1 AND email IS NULL', [lead.name]);
    expect(rows).toEqual([{ id: again.body.id }]);
  });
});

describe('Postgres', () => {
  test('may end the connections: the next call goes through', async ({ api, database }) => {
    const { body } = await api.call<Lead>('POST', '/api/leads', newLead());
    await database.pool.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`,
    );
    expect((await api.call('GET', `/api/leads/${body.id}`)).status).toBe(200);
  });

  test('may come back where only new connections work: the dead ones are given up together', async ({ database }) => {
    const proxy = await proxyOf();
    const api = apiAt(proxy.port, database, 5);
    await Promise.all(Array.from({ length: 20 }, () => api.call('GET', `/api/leads/${UNKNOWN}`)));
    proxy.abandon();
    expect((await timed(api, ['GET', `/api/leads/${UNKNOWN}`])).status).toBe(503);
    for (let call = 0; call < 5; call += 1) {
      expect((await api.call('GET', `/api/leads/${UNKNOWN}`)).status).toBe(404);
    }
  });
});
