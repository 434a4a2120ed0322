import { describe, expect } from 'vitest';
import { tickFeedClock } from '../../src/events/clock.ts';
import type { Lead } from '../../src/leads/lead.ts';
import { startPasses } from '../../src/reconciler/passes.ts';
import { createSafePost } from '../../src/safe-fetch/safe-post.ts';
import { deliverEvents } from '../../src/webhooks/deliver.ts';
import { wakeEndpoints } from '../../src/webhooks/wake.ts';
import { webhookWorkflowId } from '../../workflows/webhook-contract.ts';
import { TASK_QUEUES } from '../../workflows/contract.ts';
import { newLead, testWithoutStarts as base, type TestApi } from '../support/api.ts';
import { recordLog } from '../support/log.ts';
import { createTestClient, replay } from '../support/temporal.ts';
import { startWebhookReceiver } from '../support/webhook-receiver.ts';
import { startWorkers } from '../support/workers.ts';

interface Endpoint {
  id: string;
  secret: string;
  state: string;
  pausedBecause: string | null;
  setAside: number;
  givenUp: number;
}

/** A relay that wakes endpoints, and a worker that delivers, as long as a test lasts. Each run is replayed. */
const test = base.extend<{ deliver: { endpoints: Set<string> } }>({
  deliver: async ({ database }, use) => {
    const client = createTestClient();
    const { log } = recordLog();
    const workers = await startWorkers(database, log, {}, [TASK_QUEUES.onboarding, TASK_QUEUES.webhook]);
    const pass = () => wakeEndpoints({ pool: database.pool, client });
    const stopWaking = startPasses({ what: 'webhooks', intervalMs: 100, pass, log });
    const endpoints = new Set<string>();
    await use({ endpoints });
    await stopWaking();
    await workers.stop();
    for (const id of endpoints) {
      const handle = client.workflow.getHandle(webhookWorkflowId(id));
      await handle.terminate('the test is over').catch(() => undefined);
      await replay(handle);
    }
    await database.pool.query('DELETE FROM webhook_endpoint');
    await client.connection.close();
  },
});

let organizations = 0;

/** An organization with an endpoint at a receiver. */
async function start(api: TestApi, { endpoints }: { endpoints: Set<string> }, change = {}) {
  organizations += 1;
  const organizationId = `org-${organizations}`;
  const receiver = await startWebhookReceiver();
  const made = await api.call<Endpoint>('POST', '/api/webhooks', { organizationId, url: receiver.url, ...change });
  expect(made.status).toBe(201);
  receiver.trust(made.body.secret);
  endpoints.add(made.body.id);
  const path = `/api/webhooks/${made.body.id}`;
  return {
    ...receiver,
    organizationId,
    id: made.body.id,
    secret: made.body.secret,
    path,
    read: async () => (await api.call<Endpoint>('GET', path)).body,
    attempts: async () =>
      (await api.call<{ items: { status: number | null; type: string; attempt: number }[] }>('GET', `${path}/attempts`))
        .body.items,
    post: async (more = {}) => (await api.call<Lead>('POST', '/api/leads', newLead({ organizationId, ...more }))).body,
    received: (): string[] => receiver.received.map(({ event }) => event.type),
    receipts: receiver.received,
  };
}

describe('a webhook endpoint', () => {
  test('is told of each event once, in order, signed, and without persons unless it is to have them', async ({
    api,
    deliver,
  }) => {
    const plain = await start(api, deliver);
    const withPersons = await api.call<Endpoint>('POST', '/api/webhooks', {
      organizationId: plain.organizationId,
      url: plain.url,
      types: ['lead.updated'],
      includePersonalData: true,
    });
    deliver.endpoints.add(withPersons.body.id);
    plain.trust(withPersons.body.secret);
    const lead = await plain.post();
    await api.call('PATCH', `/api/leads/${lead.id}`, { name: 'Maria' });
    await expect.poll(plain.received).toHaveLength(3);
    const { body: feed } = await api.call<{ items: { id: string; type: string }[] }>(
      'GET',
      `/api/events?organizationId=${plain.organizationId}`,
    );
    const byType = (type: string) => plain.receipts.filter(({ event }) => event.type === type);
    expect(byType('lead.created')).toMatchObject([
      { id: feed.items[0]?.id, event: { timestamp: lead.createdAt, data: { leadId: lead.id, version: 1 } } },
    ]);
    expect(JSON.stringify(byType('lead.created'))).not.toMatch(/joao|João/);
    const updates = byType('lead.updated');
    expect(new Set(updates.map(({ id }) => id))).toEqual(new Set([feed.items[1]?.id]));
    expect(updates.filter(({ event }) => JSON.stringify(event).includes('Maria'))).toHaveLength(1);
    await expect.poll(plain.attempts).toMatchObject([
      { type: 'lead.updated', status: 204, attempt: 1 },
      { type: 'lead.created', status: 204, attempt: 1 },
    ]);
  });

  test('is told again of what it did not take, and of the rest meanwhile', async ({ api, deliver, database }) => {
    const one = await start(api, deliver);
    one.reactOnce({ status: 500 });
    const first = await one.post();
    const second = await one.post();
    await expect.poll(() => one.receipts.map(({ event }) => event.data['leadId'])).toEqual([first.id, second.id]);
    await expect.poll(async () => (await one.read()).setAside).toBe(1);
    await database.pool.query('UPDATE webhook_delivery SET next_at = now()');
    await expect.poll(one.received).toHaveLength(3);
    expect(one.receipts[2]).toMatchObject({ id: one.receipts[0]?.id, event: one.receipts[0]?.event });
    await expect.poll(one.read).toMatchObject({ setAside: 0, givenUp: 0, state: 'active' });
    expect((await one.attempts()).map(({ status, attempt }) => [status, attempt])).toEqual([
      [204, 2],
      [204, 1],
      [500, 1],
    ]);
  });

  test('that takes nothing is asked with one event now and then, and has all of them once it is back', async ({
    api,
    deliver,
    database,
  }) => {
    const one = await start(api, deliver);
    await one.goDown();
    for (let i = 0; i < 9; i += 1) await one.post();
    await expect.poll(async () => (await one.attempts()).length).toBeGreaterThanOrEqual(5);
    await expect.poll(async () => (await one.read()).setAside).toBeGreaterThanOrEqual(5);
    const tried = async () => (await one.attempts()).length;
    const before = await tried();
    await database.pool.query('UPDATE webhook_endpoint SET next_at = now() WHERE id = $1', [one.id]);
    await expect.poll(tried).toBe(before + 1);
    await one.comeBack();
    await database.pool.query('UPDATE webhook_delivery SET next_at = now()');
    await database.pool.query('UPDATE webhook_endpoint SET next_at = now() WHERE id = $1', [one.id]);
    await expect.poll(() => new Set(one.receipts.map(({ id }) => id)).size).toBe(9);
    await expect.poll(one.read).toMatchObject({ setAside: 0, state: 'active' });
  });

  test('that takes no event of one type is told of the others, whatever was set aside', async ({
    api,
    deliver,
    database,
  }) => {
    const one = await start(api, deliver);
    one.reactAlways(({ type }) => ({ status: type === 'lead.updated' ? 500 : 204 }));
    const lead = await one.post();
    for (let i = 0; i < 5; i += 1) await api.call('PATCH', `/api/leads/${lead.id}`, { name: `Maria ${i}` });
    await expect.poll(async () => (await one.read()).setAside).toBeGreaterThanOrEqual(5);
    const another = await one.post();
    await database.pool.query('UPDATE webhook_delivery SET next_at = now()');
    await database.pool.query('UPDATE webhook_endpoint SET next_at = now() WHERE id = $1', [one.id]);
    const created = () => one.receipts.filter(({ event }) => event.type === 'lead.created');
    await expect.poll(() => created().map(({ event }) => event.data['leadId'])).toEqual([lead.id, another.id]);
  });

  test('that is elsewhere from now on is told at once, whatever the address before failed at', async ({
    api,
    deliver,
  }) => {
    const one = await start(api, deliver);
    one.reactAlways({ status: 429, headers: { 'retry-after': '3600' } });
    await one.post();
    await expect.poll(async () => (await one.read()).setAside).toBe(1);
    const another = await startWebhookReceiver();
    another.trust(one.secret);
    await api.call('PATCH', one.path, { url: another.url });
    await expect.poll(() => another.received).toMatchObject([{ id: one.receipts[0]?.id }]);
    await expect.poll(one.read).toMatchObject({ setAside: 0, failingSince: null });
  });

  test('that has a backlog is left to the next run after a while, which goes on where that one was', async ({
    api,
    database,
  }) => {
    const one = await start(api, { endpoints: new Set() });
    const leads: string[] = [];
    for (let i = 0; i < 60; i += 1) leads.push((await one.post()).id);
    const poster = createSafePost({ allowed: () => true });
    const deps = { ...database, poster, operatorPoster: poster, log: recordLog().log };
    const run = {
      endpointId: one.id,
      wait: () => Promise.resolve(false),
      isOver: () => true,
      alive: () => undefined,
      delivered: () => undefined,
      signal: new AbortController().signal,
    };
    const told = () => one.receipts.map(({ event }) => event.data['leadId']);
    await deliverEvents(deps, run);
    expect(told().length).toBeLessThan(60);
    expect(told()).toEqual(leads.slice(0, told().length));
    await deliverEvents(deps, { ...run, isOver: () => false });
    expect(told()).toEqual(leads);
    await poster.close();
    await database.pool.query('DELETE FROM webhook_endpoint');
  });

  test('that is told again of all since a time is told of that whole minute', async ({ api, deliver, database }) => {
    const one = await start(api, deliver);
    const lead = await one.post();
    await expect.poll(one.attempts).toHaveLength(1);
    await tickFeedClock(database.pool); // may be the whole minute late
    await api.call('POST', `${one.path}/redeliver`, { since: lead.createdAt });
    await expect.poll(one.received).toEqual(['lead.created', 'lead.created']);
  });

  test('tries an event for three days more when it is told of it again', async ({ api, deliver, database }) => {
    const one = await start(api, deliver);
    one.reactAlways({ status: 500 });
    await one.post();
    await expect.poll(async () => (await one.read()).setAside).toBe(1);
    await database.pool.query("UPDATE webhook_delivery SET since = since - interval '4 days', next_at = now()");
    await expect.poll(one.read).toMatchObject({ setAside: 0, givenUp: 1 });
    await api.call('POST', `${one.path}/redeliver`, { since: new Date(Date.now() - 3_600_000).toISOString() });
    await expect.poll(one.read).toMatchObject({ setAside: 1, givenUp: 0 });
    await database.pool.query('UPDATE webhook_delivery SET next_at = now()');
    const attempts = async () => (await one.attempts()).map(({ attempt }) => attempt);
    await expect.poll(attempts).toEqual([2, 1, 2, 1]);
    await expect.poll(one.read).toMatchObject({ setAside: 1, givenUp: 0 });
  });

  test('that is gone is paused, says so, and goes on when somebody wants it', async ({ api, deliver }) => {
    const one = await start(api, deliver);
    one.reactAlways({ status: 410 });
    await one.post();
    await expect.poll(one.read).toMatchObject({ state: 'paused', pausedBecause: 'gone' });
    const audit = await api.call<{ items: object[] }>('GET', `/api/audit?organizationId=${one.organizationId}`);
    expect(audit.body.items).toMatchObject([
      { action: 'webhook.paused', subject: one.id, data: { reason: 'gone' } },
      { action: 'webhook.created' },
    ]);
    await one.post();
    one.reactAlways({ status: 200 });
    await api.call('PATCH', one.path, { state: 'active' });
    await expect.poll(() => one.received().slice(1)).toEqual(['lead.created', 'webhook.paused', 'lead.created']);
    const paused = one.receipts.find(({ event }) => event.type === 'webhook.paused');
    expect(paused?.event.data).toMatchObject({ leadId: null, data: { endpointId: one.id, reason: 'gone' } });
  });

  test('is paused when it has failed for three days, and its events are given up', async ({
    api,
    deliver,
    database,
  }) => {
    const one = await start(api, deliver);
    one.reactAlways({ status: 503 });
    await one.post();
    await expect.poll(async () => (await one.read()).setAside).toBe(1);
    await database.pool.query(
      `UPDATE webhook_delivery SET since = since - interval '3 days', next_at = now() WHERE endpoint_id = $1`,
      [one.id],
    );
    await database.pool.query(
      `UPDATE webhook_endpoint SET failing_since = failing_since - interval '3 days', next_at = now() WHERE id = $1`,
      [one.id],
    );
    await expect.poll(one.read).toMatchObject({ pausedBecause: 'failing', setAside: 0, givenUp: 1 });
    one.reactAlways({ status: 200 });
    await api.call('PATCH', one.path, { state: 'active' });
    expect((await api.call('POST', `${one.path}/redeliver`, { givenUp: true })).status).toBe(202);
    await expect.poll(one.read).toMatchObject({ setAside: 0, givenUp: 0 });
    expect(one.receipts.at(-1)?.event.type).toMatch(/lead.created|webhook.paused/);
  });

  test('waits for as long as it asks to', async ({ api, deliver, database }) => {
    const one = await start(api, deliver);
    one.reactAlways({ status: 429, headers: { 'retry-after': '600' } });
    await one.post();
    await one.post();
    await expect.poll(async () => (await one.attempts()).length).toBe(1);
    const { rows } = await database.pool.query<{ seconds: number }>(
      'SELECT extract(epoch FROM next_at - now())::float AS seconds FROM webhook_endpoint WHERE id = $1',
      [one.id],
    );
    expect(rows[0]?.seconds).toBeGreaterThan(500);
    expect(one.receipts).toHaveLength(1);
  });

  test('gets nothing at an address that a redirect leads to', async ({ api, deliver }) => {
    const target = await startWebhookReceiver();
    const one = await start(api, deliver);
    one.reactAlways({ status: 302, headers: { location: target.url } });
    await one.post();
    await expect.poll(one.attempts).toMatchObject([{ status: 302 }]);
    expect(target.connections()).toBe(0);
  });

  test('gets a test again as it was', async ({ api, deliver }) => {
    const one = await start(api, deliver);
    const { body } = await api.call<{ eventId: string }>('POST', `${one.path}/test`);
    await expect.poll(() => one.receipts).toHaveLength(1);
    await api.call('POST', `${one.path}/redeliver`, { eventId: body.eventId });
    await expect.poll(() => one.receipts).toHaveLength(2);
    const [first, again] = one.receipts;
    expect(again).toMatchObject({ id: body.eventId, event: first?.event });
  });

  test.for([204, 500])(
    'is told again at once of what it has in hand when that was asked for, and answers %i',
    async (status, { api, deliver, database }) => {
      const one = await start(api, deliver);
      let answer: () => void = () => undefined;
      const asked = new Promise<void>((resolve) => (answer = resolve));
      one.reactOnce(() => asked.then(() => ({ status })));
      const { body } = await api.call<{ eventId: string }>('POST', `${one.path}/test`);
      await expect.poll(() => one.receipts).toHaveLength(1);
      expect((await api.call('POST', `${one.path}/redeliver`, { eventId: body.eventId })).status).toBe(202);
      const ordered = await database.prisma.webhookDelivery.findFirstOrThrow({ where: { eventId: body.eventId } });
      one.reactAlways({ status: 503 });
      answer();
      const firstTwo = async () => (await one.attempts()).slice(-2); // the newest stand first
      await expect.poll(firstTwo).toMatchObject([
        { status: 503, attempt: 1 },
        { status, attempt: 1 },
      ]);
      await expect
        .poll(() => database.prisma.webhookDelivery.findFirst({ where: { eventId: body.eventId } }))
        .toMatchObject({ since: ordered.since });
    },
  );

  test('can be tested, told again of one event or of all since a time, and be given another secret', async ({
    api,
    deliver,
    database,
  }) => {
    const one = await start(api, deliver, { types: ['lead.created'] });
    const { body: ordered } = await api.call<{ eventId: string }>('POST', `${one.path}/test`);
    await expect.poll(() => one.receipts).toMatchObject([{ id: ordered.eventId, event: { type: 'webhook.test' } }]);
    await one.post();
    await one.post();
    await expect.poll(one.received).toHaveLength(3);
    const [, first, second] = one.receipts;
    await expect.poll(one.attempts).toHaveLength(3); // of these it is known that they were sent
    expect((await api.call('POST', `${one.path}/redeliver`, { eventId: first?.id })).status).toBe(202);
    await expect.poll(one.received).toHaveLength(4);
    expect(one.receipts[3]).toMatchObject({ id: first?.id, event: first?.event });

    const rotated = await api.call<Endpoint>('POST', `${one.path}/rotate-secret?keepOldForHours=1`);
    // Whoever knows the old one alone still understands.
    const { body } = await api.call<{ secret: string }>('GET', one.path);
    expect(body.secret).toBeUndefined();
    await database.pool.query("INSERT INTO feed_clock (at, xid) VALUES (now() - interval '1 hour', '3')");
    await api.call('POST', `${one.path}/redeliver`, { since: new Date(Date.now() - 60_000).toISOString() });
    await expect.poll(one.received).toHaveLength(6);
    expect(one.receipts.slice(4).map(({ id }) => id)).toEqual([first?.id, second?.id]);
    one.trust(rotated.body.secret);
    await api.call('POST', `${one.path}/test`);
    await expect.poll(one.received).toHaveLength(7);
  });
});
