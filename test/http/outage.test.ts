import { randomUUID } from 'node:crypto';
import { describe, expect, inject, onTestFinished } from 'vitest';
import { createPool } from '../../src/db/pool.ts';
import { createPrisma } from '../../src/db/prisma.ts';
import type { Lead } from '../../src/leads/lead.ts';
import { freePort } from '../../src/local/ports.ts';
import { createTestApi, newLead, test, type TestApi } from '../support/api.ts';
import type { TestDatabase } from '../support/database.ts';
import { expectProblem } from '../support/problem.ts';
import { startTcpProxy } from '../support/tcp-proxy.ts';

test.override({ slots: 0 });

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

/** The API on the same database at another port, where something is wrong. */
function apiAt(port: number, database: TestDatabase): TestApi {
  const url = new URL(database.url);
  url.port = String(port);
  const pool = createPool({ connectionString: url.href, max: 20, applicationName: 'outage', onError: () => undefined });
  const api = createTestApi({ pool, prisma: createPrisma(pool) }, { slots: 0 });
  onTestFinished(async () => {
    await api.close();
    await pool.end();
  });
  return api;
}

async function expectUnavailable(api: TestApi, withinMs: number) {
  const startedAt = performance.now();
  const answers = await Promise.all(
    CALLS.map(async ([method, path, body]) => {
      const answer = await api.call(method, path, body);
      return { ...answer, what: `${method} ${path}`, durationMs: performance.now() - startedAt };
    }),
  );
  for (const answer of answers) {
    expectProblem(answer, 503, 'unavailable');
    expect(answer.headers.get('retry-after'), answer.what).toBe('1');
    expect(answer.text).not.toMatch(/prisma|connect|econn|timeout|terminated|127\.0/i);
    expect(answer.durationMs, answer.what).toBeLessThan(withinMs);
  }
}

describe('while Postgres is away, every call is answered with 503 and nothing of the cause', () => {
  test('when nobody listens', async ({ database }) => {
    const api = apiAt(await freePort(), database);
    await api.call('GET', `/api/leads/${UNKNOWN}`); // Prisma loads its query compiler with the first call
    await expectUnavailable(api, 3_500);
  });

  test('when it takes connections and never answers', async ({ database }) => {
    const proxy = await startTcpProxy(inject('postgresPort'));
    onTestFinished(() => proxy.close());
    proxy.setSilent(true);
    await expectUnavailable(apiAt(proxy.port, database), 3_500);
  });

  test('when it falls silent, and again at once when it is back', async ({ database }) => {
    const proxy = await startTcpProxy(inject('postgresPort'));
    onTestFinished(() => proxy.close());
    const api = apiAt(proxy.port, database);
    const before = await Promise.all(CALLS.map(([method, path, body]) => api.call(method, path, body)));
    expect(before.map(({ status }) => status)).not.toContain(503);
    proxy.setSilent(true);
    await expectUnavailable(api, 5_000);
    proxy.setSilent(false);
    const after = await Promise.all(CALLS.map(([method, path, body]) => api.call(method, path, body)));
    expect(after.map(({ status }) => status)).toEqual(before.map(({ status }) => (status === 201 ? 200 : status)));
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
});
