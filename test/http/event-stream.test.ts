import { describe, expect } from 'vitest';
import type { Share } from '../../src/db/fair-share.ts';
import { API_ROLE } from '../../src/db/tenant.ts';
import type { Lead } from '../../src/leads/lead.ts';
import { newLead, testWithoutStarts as test } from '../support/api.ts';
import { follow } from '../support/event-source.ts';
import { createKeyedApi, makeKey } from '../support/keyed-api.ts';
import { expectProblem } from '../support/problem.ts';
import { listen } from '../support/server.ts';
import { startStreamApi } from '../support/stream-api.ts';

const SOON = { interval: 20 };
let organizations = 0;

/** An organization of its own, at two API processes. */
async function start(databaseUrl: string) {
  organizations += 1;
  const organizationId = `org-${organizations}`;
  const [api, other] = [await startStreamApi(databaseUrl), await startStreamApi(databaseUrl)];
  const urlOf = (query = '', { server } = api) =>
    `${server.url}/api/events/stream?organizationId=${organizationId}${query}`;
  const post = async () => (await api.call<Lead>('POST', '/api/leads', newLead({ organizationId }))).body;
  return { api, other, urlOf, post };
}

describe('GET /api/events/stream', () => {
  test('begins with what comes from now on, in the words of the list', async ({ database }) => {
    const { api, urlOf, post } = await start(database.url);
    await post();
    const early = await api.call<{ nextCursor: string }>('GET', urlOf().replace(/^.*stream/, '/api/events'));
    const client = follow(urlOf());
    await expect.poll(client.opened, SOON).toBe(1);
    const lead = await post();
    await api.call('PATCH', `/api/leads/${lead.id}`, { name: 'Maria' });
    await expect.poll(() => client.events().map(({ data }) => data.type), SOON).toContain('lead.updated');
    const list = urlOf(`&after=${early.body.nextCursor}`).replace(/^.*stream/, '/api/events');
    const { items } = (await api.call<{ items: { cursor: string; leadId: string }[] }>('GET', list)).body;
    const ofLead = client.events().filter(({ data }) => data.leadId === lead.id);
    expect(ofLead).toEqual(
      items.filter(({ leadId }) => leadId === lead.id).map((data) => ({ event: 'event', id: data.cursor, data })),
    );
  });

  test('goes on after a cursor, at another process, with each event once', async ({ database }) => {
    const { api, other, urlOf, post } = await start(database.url);
    const leads = [await post(), await post(), await post()];
    const client = follow(urlOf('&after=0-0'));
    await expect.poll(() => client.events().length, SOON).toBe(3);
    client.source.close();
    leads.push(await post());
    const [, second] = client.events();
    const again = follow(urlOf(`&after=${second?.id}`, other));
    await expect.poll(() => again.events().length, SOON).toBe(2);
    expect(again.events().map(({ data }) => data.leadId)).toEqual(leads.slice(2).map(({ id }) => id));
    await api.call('DELETE', `/api/leads/${leads[0]?.id}`);
    await expect.poll(() => again.events().at(-1)?.data.type, SOON).toBe('lead.erased');
  });

  test('tells of the types that are asked for, and how far it has come all the same', async ({ database }) => {
    const { api, urlOf, post } = await start(database.url);
    const client = follow(urlOf('&types=lead.erased'));
    await expect.poll(client.opened, SOON).toBe(1);
    await expect.poll(() => client.positions().length, SOON).toBe(1);
    const lead = await post();
    await expect.poll(() => client.positions().length, SOON).toBeGreaterThan(1);
    await api.call('DELETE', `/api/leads/${lead.id}`);
    await expect.poll(() => client.events().map(({ data }) => data.type), SOON).toEqual(['lead.erased']);
  });

  test('is watched before it is read for the first time, so that nothing comes in between', async ({ database }) => {
    const watchedAtReads: number[] = [];
    const share: Share = (_organizationId, read) => {
      watchedAtReads.push(keyed.streams());
      return read();
    };
    const keyed = createKeyedApi(database, { slots: 0, share }, API_ROLE);
    const token = await makeKey(database, { organizationId: 'org-first-read' });
    const { status } = await keyed.as(token)('GET', '/api/events/stream?after=0-0');
    expect(status).toBe(200);
    expect(watchedAtReads[0]).toBe(1);
    await keyed.close();
  });

  test('ends when its key does, and says before it begins what is wrong', async ({ database }) => {
    const keyed = createKeyedApi(database, { slots: 0 }, API_ROLE);
    const server = await listen(keyed);
    const token = await makeKey(database, { organizationId: 'org-stream' });
    const call = keyed.as(token);
    expectProblem(await call('GET', `/api/events/stream?after=${2n ** 60n}-0`), 410, 'cursor-gone');
    expectProblem(await call('GET', '/api/events/stream?after=x'), 400, 'invalid-request', ['after']);
    expectProblem(await call('GET', '/api/events/stream?organizationId=org-1'), 403, 'forbidden');
    const client = follow(`${server.url}/api/events/stream`, { authorization: `Bearer ${token}` });
    await expect.poll(client.opened, SOON).toBe(1);
    await database.pool.query('UPDATE api_key SET revoked_at = now() WHERE organization_id = $1', ['org-stream']);
    const stateAfterAnEvent = async () => {
      const [id, leadId] = [crypto.randomUUID(), crypto.randomUUID()];
      await database.prisma.leadEvent.create({
        data: { id, leadId, organizationId: 'org-stream', type: 'lead.erased' },
      });
      return client.source.readyState;
    };
    await expect.poll(stateAfterAnEvent, SOON).not.toBe(client.source.OPEN); // a process may know keys for 2 s
    client.source.close();
    await expect.poll(keyed.streams, SOON).toBe(0);
    await keyed.close();
    await server.close();
  });
});
