import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, onTestFinished } from 'vitest';
import { API_ROLE } from '../../src/db/tenant.ts';
import { testWithoutStarts as test } from '../support/api.ts';
import { follow } from '../support/event-source.ts';
import { createKeyedApi, makeKey } from '../support/keyed-api.ts';
import { createInbox } from '../support/notifications.ts';
import { within } from '../support/patience.ts';
import { expectProblem } from '../support/problem.ts';
import { listen } from '../support/server.ts';
import { startStreamApi } from '../support/stream-api.ts';

const SOON = { interval: 20 };

describe('GET /api/notifications/stream', () => {
  test('goes on where the list ends, in the words of the list', async ({ database }) => {
    const [api, inbox] = [await startStreamApi(database.url), await createInbox(database)];
    const listed = await inbox.add();
    const list = await api.list(inbox);
    expect(list).toMatchObject({ items: [{ id: listed }], unreadCount: 1, lastNumber: 1 });
    const between = await inbox.add(); // after the list, before the stream
    const client = follow(api.urlOf(inbox, `&after=${list.lastNumber}`));
    await expect.poll(client.opened, SOON).toBe(1);
    const later = await inbox.add();

    await expect.poll(client.notifications, SOON).toHaveLength(2);
    const { items } = await api.list(inbox);
    expect(items.map(({ id }) => id)).toEqual([later, between, listed]);
    expect(client.notifications()).toEqual([
      { event: 'notification', id: '2', data: items[1] },
      { event: 'notification', id: '3', data: items[0] },
    ]);
  });

  test('begins with what comes from now on when no position is given', async ({ database }) => {
    const [api, inbox] = [await startStreamApi(database.url), await createInbox(database)];
    await inbox.add();
    const client = follow(api.urlOf(inbox));
    await expect.poll(client.unreadCounts, SOON).toEqual([1]);
    const id = await inbox.add();
    await expect.poll(client.notifications, SOON).toMatchObject([{ id: '2', data: { id } }]);
  });

  test('goes on after Last-Event-ID, whatever the address says, also after one that is no longer there', async ({
    database,
  }) => {
    const [api, inbox] = [await startStreamApi(database.url), await createInbox(database)];
    const read = async (lastEventId: string) => {
      const response = await fetch(api.urlOf(inbox, '&after=0'), { headers: { 'last-event-id': lastEventId } });
      return readUntil(response, 3);
    };
    for (let i = 0; i < 3; i += 1) await inbox.add();
    expect(idsIn(await read('1'))).toEqual(['1', '2', '3', '3']); // each unread count tells the position too
    expect(idsIn(await read('999'))).toEqual(['3']);
  });

  test('shows nothing of other users and other organizations', async ({ database }) => {
    const [api, inbox] = [await startStreamApi(database.url), await createInbox(database)];
    const others = [await createInbox(database), await createInbox(database, 'org-456')];
    const namesake = { ...inbox.owner, organizationId: 'org-456' };
    const client = follow(api.urlOf(inbox));
    await expect.poll(client.opened, SOON).toBe(1);
    for (const other of others) await other.add();
    const foreign = { ...inbox.compose(), ...namesake };
    await database.prisma.notification.create({ data: foreign });
    const id = await inbox.add();
    await expect.poll(client.notifications, SOON).toMatchObject([{ id: '1', data: { id } }]);
  });

  test('tells how many are unread at once and whenever that changes', async ({ database }) => {
    const [api, inbox] = [await startStreamApi(database.url), await createInbox(database)];
    const other = await startStreamApi(database.url);
    const first = await inbox.add();
    const client = follow(api.urlOf(inbox));
    const becomes = (count: number) => expect.poll(() => client.unreadCounts().at(-1), SOON).toBe(count);
    await becomes(1);
    await inbox.add();
    await becomes(2);
    await other.call('POST', `/api/notifications/${first}/read`);
    await becomes(1);
    await other.call('POST', `/api/notifications/read-all?${inbox.query}`);
    await becomes(0);
  });

  test('is an event stream that no proxy holds back, and that tells when to come back', async ({ database }) => {
    const [api, inbox] = [await startStreamApi(database.url), await createInbox(database)];
    const response = await fetch(api.urlOf(inbox));
    expect(response.status).toBe(200);
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'content-type': 'text/event-stream',
      'cache-control': 'no-cache, no-transform',
      'x-accel-buffering': 'no',
    });
    const text = await readUntil(response, 0);
    expect(text).toBe('retry: 1000\n\nid: 0\nevent: unread\ndata: {"unreadCount":0}\n\n');
  });

  test('serves so many at once, and gives a place back when a client leaves', async ({ database }) => {
    const [api, inbox] = [await startStreamApi(database.url, { maxWatchers: 2 }), await createInbox(database)];
    const clients = [follow(api.urlOf(inbox)), follow(api.urlOf(inbox))] as const;
    await expect.poll(api.streams, SOON).toBe(2);
    const refused = await api.call('GET', api.urlOf(inbox));
    expectProblem(refused, 503, 'unavailable');
    expect(refused.headers.get('retry-after')).toBe('5');

    clients[0].source.close();
    await expect.poll(api.streams, SOON).toBe(1);
    const client = follow(api.urlOf(inbox));
    await expect.poll(client.opened, SOON).toBe(1);
  });

  test('gives half of the places to one organization at most', async ({ database }) => {
    const [ours, theirs] = [await createInbox(database, 'org-ours'), await createInbox(database, 'org-theirs')];
    const api = createKeyedApi(database, { slots: 0, maxWatchers: 4 }, API_ROLE);
    const server = await listen(api);
    onTestFinished(async () => {
      await server.close();
      await api.close();
    });
    const stream = async ({ owner: { organizationId, userId } }: typeof ours) => {
      const headers = { authorization: `Bearer ${await makeKey(database, { organizationId })}` };
      const url = `${server.url}/api/notifications/stream?${new URLSearchParams({ userId }).toString()}`;
      return fetch(url, { headers });
    };
    const open = [await stream(ours), await stream(ours)];
    expect(open.map(({ status }) => status)).toEqual([200, 200]);
    const refused = await stream(ours);
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '5']);
    expect(await refused.json()).toMatchObject({
      detail: 'Your organization has as many streams at this process as is its share: close some of them.',
    });
    expect((await stream(theirs)).status).toBe(200);
    for (const { body } of open) await body?.cancel(); // held until here: a response that nobody holds is closed
  });

  test('keeps no place for clients that leave at once', async ({ database }) => {
    const [api, inbox] = [await startStreamApi(database.url), await createInbox(database)];
    for (let ms = 0; ms < 40; ms += 2) {
      const leaving = new AbortController();
      const response = fetch(api.urlOf(inbox), { signal: leaving.signal }).catch(() => undefined);
      await sleep(ms);
      leaving.abort();
      await response;
    }
    await expect.poll(api.streams, SOON).toBe(0);
  });

  test('shows a key the inboxes of its organization, until it is revoked', async ({ database }) => {
    const [ours, theirs] = [await createInbox(database, 'org-ours'), await createInbox(database, 'org-theirs')];
    const api = createKeyedApi(database, { slots: 0 }, API_ROLE);
    const server = await listen(api);
    onTestFinished(async () => {
      await server.close();
      await api.close();
    });
    const token = await makeKey(database, { organizationId: 'org-ours' });
    const { userId } = ours.owner;
    const url = `${server.url}/api/notifications/stream?${new URLSearchParams({ userId }).toString()}`;
    const client = follow(url, { authorization: `Bearer ${token}` });
    await expect.poll(client.unreadCounts, SOON).toEqual([0]);
    await database.prisma.notification.create({ data: { ...theirs.compose(), userId } });
    const id = await ours.add();
    await expect.poll(client.notifications, SOON).toMatchObject([{ id: '1', data: { id } }]);

    await api.as(token)('DELETE', `/api/keys/${token.split('_')[1] ?? ''}`);
    await sleep(3_000); // a process may know keys for 2 s
    await ours.add();
    await expect.poll(api.streams, SOON).toBe(0);
    await expect.poll(() => client.source.readyState, SOON).toBe(client.source.CLOSED); // after one more try: 401
    expect(client.notifications()).toHaveLength(1);
  });

  test.for([
    ['organizationId', '&organizationId='],
    ['after', '&after=-1'],
    ['after', '&after=1e3'],
    ['after', '&after=9999999999'],
    ['limit', '&limit=1'],
  ])('refuses a wrong %s with 400: %s', async ([path = '', query], { api, database }) => {
    const { owner } = await createInbox(database);
    const parameters = new URLSearchParams({ ...owner, ...Object.fromEntries(new URLSearchParams(query)) });
    expectProblem(await api.call('GET', `/api/notifications/stream?${parameters.toString()}`), 400, 'invalid-request', [
      path,
    ]);
    const answer = await api.call(
      'GET',
      `/api/notifications/stream?${new URLSearchParams(owner).toString()}`,
      undefined,
      {
        'last-event-id': 'abc',
      },
    );
    expectProblem(answer, 400, 'invalid-request', ['last-event-id']);
  });
});

/** What a stream says until it has come to this position; then it is left. */
async function readUntil(response: Response, position: number): Promise<string> {
  const reader = response.body?.getReader();
  onTestFinished(() => reader?.cancel());
  let text = '';
  while (!text.includes(`id: ${position}\nevent: unread`)) {
    const part = await within(reader?.read() ?? Promise.reject(new Error('no body')), `it says only ${text}`);
    if (part.value === undefined) break;
    text += Buffer.from(part.value).toString();
  }
  return text;
}

const idsIn = (text: string) => [...text.matchAll(/^id: (.*)$/gm)].map(([, id]) => id);
