import { describe, expect, inject, onTestFinished } from 'vitest';
import { ANSWER_WITHIN_MS } from '../../src/http/answers/deadline.ts';
import type { Lead } from '../../src/leads/lead.ts';
import { freePort } from '../../src/local/ports.ts';
import { openTemporal } from '../../src/temporal/connection.ts';
import { type Answer, createTestApi, newLead, test, type TestApi } from '../support/api.ts';
import type { TestDatabase } from '../support/database.ts';
import { startTcpProxy } from '../support/tcp-proxy.ts';
import { testNamespace } from '../support/temporal.ts';

/** The API with a Temporal at this address. */
function apiWith(port: number, database: TestDatabase): TestApi {
  const connectionOptions = { address: `127.0.0.1:${port}` };
  const temporal = openTemporal({ connectionOptions, namespace: testNamespace() });
  const api = createTestApi(database, { client: temporal.client, answerWithinMs: ANSWER_WITHIN_MS });
  onTestFinished(async () => {
    await api.idle();
    await temporal.close();
  });
  return api;
}

/** A busy machine may be late once; what waits for Temporal is late each time. */
const ATTEMPTS = 5;

async function answerOf<Body>(api: TestApi, method: string, path: string, body?: object): Promise<Answer<Body>> {
  for (let attempt = 1; ; attempt += 1) {
    const answer = await api.call<Body>(method, path, body);
    if (answer.status !== 503 || attempt === ATTEMPTS) return answer;
  }
}

/** Every route that has to do with Temporal, each with what it answers without: one that waited for it would answer 503. */
async function expectService(api: TestApi) {
  const { status, body: lead } = await answerOf<Lead>(api, 'POST', '/api/leads', newLead());
  expect(status).toBe(201);
  const onboarding = `/api/leads/${lead.id}/onboarding`;
  for (const command of ['enrich-now', 'skip-enrichment', 'cancel']) {
    expect(await answerOf(api, 'POST', `${onboarding}/${command}`)).toMatchObject({ status: 202 });
  }
  expect(await answerOf(api, 'POST', `${onboarding}/retry`)).toMatchObject({ status: 409 });
  expect(await answerOf(api, 'PATCH', `/api/leads/${lead.id}`, { assignedTo: 'user-9' })).toMatchObject({
    status: 200,
  });
  expect(await answerOf(api, 'GET', onboarding)).toMatchObject({
    status: 200,
    body: { state: 'PENDING', temporal: 'unreachable' },
  });
  expect(await answerOf(api, 'GET', '/readyz')).toMatchObject({ status: 200, body: { temporal: 'unreachable' } });
}

describe('while Temporal is away, no call waits for it, and all that is asked for is accepted', () => {
  test('when nobody listens', async ({ database }) => {
    await expectService(apiWith(await freePort(), database));
  });

  test('when it takes connections and never answers', async ({ database }) => {
    const proxy = await startTcpProxy(Number(inject('temporalAddress').split(':')[1]));
    onTestFinished(() => proxy.close());
    proxy.setSilent(true);
    await expectService(apiWith(proxy.port, database));
  });

  test('when it falls silent', async ({ database }) => {
    const proxy = await startTcpProxy(Number(inject('temporalAddress').split(':')[1]));
    onTestFinished(() => proxy.close());
    const api = apiWith(proxy.port, database);
    await expect.poll(() => api.call('GET', '/readyz')).toMatchObject({ body: { temporal: 'reachable' } });
    proxy.setSilent(true);
    await expectService(api);
  });
});
