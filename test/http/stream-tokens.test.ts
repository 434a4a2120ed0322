import { describe, expect } from 'vitest';
import { createStreamKeyring } from '../../src/api-keys/keyring.ts';
import { createStreamToken, sweepStreamTokens } from '../../src/api-keys/stream-tokens.ts';
import { API_ROLE } from '../../src/db/tenant.ts';
import { newLead, testWithoutStarts as test, type TestApi } from '../support/api.ts';
import type { TestDatabase } from '../support/database.ts';
import { follow } from '../support/event-source.ts';
import { createKeyedApi, makeKey } from '../support/keyed-api.ts';
import { recordLog } from '../support/log.ts';
import { createInbox } from '../support/notifications.ts';
import { idOf } from '../support/operations.ts';
import { expectProblem } from '../support/problem.ts';
import { listen } from '../support/server.ts';

const SOON = { interval: 20 };
const USER = { userId: 'user-1' };

interface StreamToken {
  token: string;
  expiresAt: string;
}

let organizations = 0;

/** An API that wants keys, on a socket, and an organization with one. */
async function start(database: TestDatabase, onEnd: (end: () => Promise<void>) => void) {
  const organizationId = `org-token-${(organizations += 1)}`;
  const api = createKeyedApi(database, { slots: 0 }, API_ROLE);
  const server = await listen(api);
  onEnd(async () => {
    await api.close();
    await server.close();
  });
  const key = await makeKey(database, { organizationId });
  const call = api.as(key);
  const make = async (stream: 'events' | 'notifications', body: object) =>
    (await call<StreamToken>('POST', `/api/${stream}/stream/token`, body)).body.token;
  return { api, server, organizationId, key, call, make };
}

describe('a stream token', () => {
  test('opens the inbox of its user to an EventSource, which sends no header', async ({ database, onTestFinished }) => {
    const { server, organizationId, make } = await start(database, onTestFinished);
    const inbox = await createInbox(database, organizationId);
    const token = await make('notifications', { userId: inbox.owner.userId });
    const client = follow(`${server.url}/api/notifications/stream?${inbox.query}&after=0&token=${token}`);
    await expect.poll(client.opened, SOON).toBe(1);
    const id = await inbox.add();
    await expect.poll(() => client.notifications().map(({ data }) => data.id), SOON).toEqual([id]);
    expect(client.unreadCounts()[0]).toBe(0);
  });

  test('opens the feed, with persons only where the key and the token have them', async ({
    database,
    onTestFinished,
  }) => {
    const { server, call, make, api, organizationId } = await start(database, onTestFinished);
    const urlOf = (token: string) => `${server.url}/api/events/stream?after=0-0&token=${token}`;
    await call('POST', '/api/leads', newLead({ organizationId }));
    const [plain, full] = [
      follow(urlOf(await make('events', {}))),
      follow(urlOf(await make('events', { includePersonalData: true }))),
    ];
    await expect.poll(() => [plain, full].map((client) => client.events().length), SOON).toEqual([1, 1]);
    expect(plain.events()[0]?.data.data).not.toHaveProperty('name');
    expect(full.events()[0]?.data.data).toHaveProperty('name');

    const narrow = api.as(await makeKey(database, { organizationId, scopes: ['events'] }));
    for (const body of [{}, undefined])
      expect((await narrow('POST', '/api/events/stream/token', body)).status).toBe(201);
    expectProblem(await narrow('POST', '/api/events/stream/token', { includePersonalData: true }), 403, 'forbidden');
  });

  test('opens that stream of that user, and nothing else', async ({ database, onTestFinished }) => {
    const { api, make } = await start(database, onTestFinished);
    const [inbox, feed] = [await make('notifications', USER), await make('events', {})];
    const get = (path: string) => api.call('GET', path);
    expectProblem(await get(`/api/notifications/stream?userId=user-2&token=${inbox}`), 403, 'forbidden');
    expectProblem(await get(`/api/notifications/stream?userId=user-1&token=${feed}`), 403, 'forbidden');
    expectProblem(await get(`/api/events/stream?token=${inbox}`), 403, 'forbidden');
    expectProblem(await get(`/api/events/stream?organizationId=org-1&token=${feed}`), 403, 'forbidden');
    for (const path of ['/api/leads', '/api/notifications', '/api/events', '/api/me']) {
      expectProblem(await get(`${path}?token=${inbox}`), 401, 'unauthenticated');
      expectProblem(await api.as(inbox)('GET', path), 401, 'unauthenticated');
    }
  });

  test('is refused when it is none, has expired, or its key has ended', async ({ database, onTestFinished }) => {
    const { api, make, key } = await start(database, onTestFinished);
    const open = (token: string) => api.call('GET', `/api/events/stream?token=${token}`);
    const expectRefused = async (token: string) =>
      expect(await open(token)).toMatchObject({
        status: 401,
        body: { detail: 'This stream token is not good any more, or never was: ask for a new one.' },
      });
    await expectRefused('lst_');
    await expectRefused(`${(await make('events', {})).slice(0, -4)}aaaa`);
    const late = await make('events', {});
    await expire(database, late);
    await expectRefused(late);
    const orphan = await make('events', {});
    await database.pool.query('UPDATE api_key SET revoked_at = now() WHERE id = $1', [idOf(key)]);
    await expectRefused(orphan);
  });

  test('goes on being good while its stream asks, and not after', async ({ database }) => {
    const organizationId = 'org-token-life';
    const keyId = idOf(await makeKey(database, { organizationId }));
    const made = await createStreamToken(database.prisma, { organizationId, keyId, scopes: ['events'], userId: null });
    await expire(database, made.token, 20);
    const keyring = createStreamKeyring({ pool: database.pool, log: recordLog().log });
    expect(await keyring.verify(made.token, 'somebody')).toMatchObject({
      id: keyId,
      organizationId,
      scopes: ['events'],
    });
    const left = async () => {
      const left =
        'SELECT extract(epoch FROM expires_at - clock_timestamp())::integer AS s FROM stream_token WHERE id = $1';
      return (await database.pool.query<{ s: number }>(left, [idOf(made.token)])).rows[0]?.s ?? 0;
    };
    await expect.poll(left, SOON).toBeGreaterThan(30);

    await sweepStreamTokens(database.pool);
    expect(await left()).toBeGreaterThan(0);
    await expire(database, made.token);
    await sweepStreamTokens(database.pool);
    expect(await database.prisma.streamToken.count({ where: { organizationId } })).toBe(0);
  });

  test('may be asked for where no keys are needed, so that pages are the same there', async ({ api }) => {
    const make = (body: object) => api.call<StreamToken>('POST', '/api/events/stream/token', body);
    const { status, body } = await make({ organizationId: 'org-123' });
    expect({ status, token: body.token }).toEqual({ status: 201, token: expect.stringMatching(/^lst_/) as string });
    expect(await openingOf(api, `/api/events/stream?organizationId=org-123&token=${body.token}`)).toBe(200);
    expectProblem(await make({}), 400, 'invalid-request', ['organizationId']);
  });

  test('takes no Idempotency-Key', async ({ database, onTestFinished }) => {
    const { call } = await start(database, onTestFinished);
    const answer = await call('POST', '/api/events/stream/token', {}, { 'idempotency-key': 'one' });
    expectProblem(answer, 400, 'invalid-request', ['idempotency-key']);
  });
});

/** Lets a token end so many seconds from now. */
const expire = ({ pool }: TestDatabase, token: string, seconds = -1) =>
  pool.query(`UPDATE stream_token SET expires_at = clock_timestamp() + $2 * interval '1 second' WHERE id = $1`, [
    idOf(token),
    seconds,
  ]);

async function openingOf(api: TestApi, path: string): Promise<number> {
  const response = await api.app.request(path);
  await response.body?.cancel();
  return response.status;
}
