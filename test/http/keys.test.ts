import { randomBytes, randomUUID } from 'node:crypto';
import { describe, expect } from 'vitest';
import type { ApiKey, IssuedKey } from '../../src/api-keys/api-key.ts';
import type { Answer, Call, Page } from '../support/api.ts';
import { makeKey, testWithoutStarts as test } from '../support/keyed-api.ts';
import { expectProblem } from '../support/problem.ts';

const NEW_KEY = { organizationId: 'org-123', name: 'web form', scopes: ['leads:read'] };
const HOUR = 3_600_000;

const idOf = (token: string) => token.split('_')[1] ?? '';

describe('POST /api/keys', () => {
  test('makes a key that works, and shows its token this once', async ({ keyed, database }) => {
    const call = keyed.as(await makeKey(database));
    const answer = await call<IssuedKey>('POST', '/api/keys', NEW_KEY);
    expect(answer.status).toBe(201);
    expect(answer.headers.get('cache-control')).toBe('no-store');
    const { token, ...key } = answer.body;
    expect(key).toEqual({
      ...NEW_KEY,
      id: expect.stringMatching(/^[\da-f-]{36}$/) as string,
      createdAt: expect.stringMatching(/Z$/) as string,
      expiresAt: null,
      revokedAt: null,
      lastUsedAt: null,
      madeByKey: expect.stringMatching(/^[\da-f-]{36}$/) as string,
      madeByUser: null,
      replaces: null,
    });

    expect((await keyed.as(token)('GET', '/api/leads')).status).toBe(200);
    expectProblem(await keyed.as(token)('POST', '/api/keys', NEW_KEY), 403, 'forbidden');
    const listed = await call<Page<ApiKey>>('GET', '/api/keys');
    expect(listed.body.items).toContainEqual({ ...key, lastUsedAt: expect.anything() as string });
    expect(listed.text).not.toContain(token.slice(-43));
    expect(JSON.stringify(await database.prisma.apiKey.findMany())).not.toContain(token.slice(-43));
  });

  test.for([
    ['organizationId', { organizationId: '' }],
    ['name', { name: ' ' }],
    ['scopes', { scopes: [] }],
    ['scopes[0]', { scopes: ['leads'] }],
    ['scopes', { scopes: ['ops', 'ops'] }],
    ['expiresAt', { expiresAt: 'tomorrow' }],
    ['expiresAt', { expiresAt: '2020-01-01T00:00:00Z' }],
    ['secret', { secret: 'my own' }],
  ] as const)('refuses a wrong %s with 400: %o', async ([path, change], { keyed, database }) => {
    const answer = await keyed.as(await makeKey(database))('POST', '/api/keys', { ...NEW_KEY, ...change });
    expectProblem(answer, 400, 'invalid-request', [path]);
  });
});

test('GET /api/keys gives pages, the newest first', async ({ keyed, database }) => {
  const organizationId = `org-${randomUUID()}`;
  const tokens = [];
  for (let n = 0; n < 5; n += 1) tokens.unshift(await makeKey(database, { organizationId }));
  const call = keyed.as(tokens[0]);
  const found: string[] = [];
  for (let cursor: string | null = ''; cursor !== null;) {
    const page: Answer<Page<ApiKey>> = await call('GET', `/api/keys?limit=2${cursor && `&cursor=${cursor}`}`);
    found.push(...page.body.items.map(({ id }) => id));
    cursor = page.body.nextCursor;
  }
  expect(found).toEqual(tokens.map((token) => token.split('_')[1]));
});

describe('POST /api/keys/{id}/rotate', () => {
  test('replaces a key by one of the same scopes and lifetime', async ({ keyed, database }) => {
    const call = keyed.as(await makeKey(database));
    const expiresAt = new Date(Date.now() + 48 * HOUR).toISOString();
    const { body: old } = await call<IssuedKey>('POST', '/api/keys', { ...NEW_KEY, expiresAt });
    const rotated = await call<IssuedKey>('POST', `/api/keys/${old.id}/rotate?keepOldForHours=24`);
    expect(rotated.status).toBe(201);
    expect(rotated.body).toMatchObject({ name: old.name, scopes: old.scopes });
    expect((Date.parse(rotated.body.expiresAt ?? '') - Date.now()) / HOUR).toBeCloseTo(48, 1);
    for (const { token } of [old, rotated.body]) expect((await keyed.as(token)('GET', '/api/leads')).status).toBe(200);
    const row = await database.prisma.apiKey.findUniqueOrThrow({ where: { id: old.id } });
    expect(((row.expiresAt?.getTime() ?? 0) - Date.now()) / HOUR).toBeCloseTo(24, 1);
  });

  test('leaves alone a key that has ended, with 409', async ({ keyed, database }) => {
    const call = keyed.as(await makeKey(database));
    const { body: key } = await call<IssuedKey>('POST', '/api/keys', NEW_KEY);
    await call('POST', `/api/keys/${key.id}/rotate?keepOldForHours=0`);
    expectProblem(await call('POST', `/api/keys/${key.id}/rotate`), 409, 'conflict');
    const { body: other } = await call<IssuedKey>('POST', '/api/keys', NEW_KEY);
    await call('DELETE', `/api/keys/${other.id}`);
    expectProblem(await call('POST', `/api/keys/${other.id}/rotate`), 409, 'conflict');
  });

  test.for(['-1', '169', 'a day', ''])(
    'refuses to keep the old one for %j hours',
    async (hours, { keyed, database }) => {
      const path = `/api/keys/${randomUUID()}/rotate?keepOldForHours=${hours}`;
      const answer = await keyed.as(await makeKey(database))('POST', path);
      expectProblem(answer, 400, 'invalid-request', ['keepOldForHours']);
    },
  );
});

test('DELETE /api/keys/{id} revokes a key, and may be repeated', async ({ keyed, database }) => {
  const call = keyed.as(await makeKey(database));
  const { body: key } = await call<IssuedKey>('POST', '/api/keys', NEW_KEY);
  const revokedAt = async () => (await database.prisma.apiKey.findUniqueOrThrow({ where: { id: key.id } })).revokedAt;
  expect((await call('DELETE', `/api/keys/${key.id}`)).status).toBe(204);
  const first = await revokedAt();
  expect(first).not.toBeNull();
  expect((await call('DELETE', `/api/keys/${key.id}`)).status).toBe(204);
  expect(await revokedAt()).toEqual(first);
  expectProblem(await keyed.as(key.token)('GET', '/api/leads'), 401, 'unauthenticated');
});

describe('a key that is made by another', () => {
  const DAY = 24 * HOUR;

  test('knows the key and the user who made it, and what it replaces', async ({ keyed, database }) => {
    const maker = await makeKey(database);
    const actor = { 'x-actor-id': 'user-7' };
    const call = keyed.as(maker);
    const { body: made } = await call<IssuedKey>('POST', '/api/keys', NEW_KEY, actor);
    expect(made).toMatchObject({ madeByKey: idOf(maker), madeByUser: 'user-7', replaces: null });
    const { body: next } = await call<IssuedKey>('POST', `/api/keys/${made.id}/rotate`, undefined, actor);
    expect(next).toMatchObject({ madeByKey: idOf(maker), madeByUser: 'user-7', replaces: made.id });
  });

  test('gets no scope that its maker lacks, whether it is made or replaced', async ({ keyed, database }) => {
    const call = keyed.as(await makeKey(database, { scopes: ['ops', 'leads:read'] }));
    const wider = { ...NEW_KEY, scopes: ['leads:read', 'leads:write'] };
    expectProblem(await call('POST', '/api/keys', wider), 403, 'forbidden');
    const other = await makeKey(database, { scopes: ['leads:write'] });
    const answer = await call<{ detail: string }>('POST', `/api/keys/${idOf(other)}/rotate`);
    expectProblem(answer, 403, 'forbidden');
    expect(answer.body.detail).toContain('lacks leads:write');
    expect((await database.prisma.apiKey.findUnique({ where: { id: idOf(other) } }))?.expiresAt).toBeNull();
    expect((await call('POST', '/api/keys', NEW_KEY)).status).toBe(201);
  });

  test('does not outlive it', async ({ keyed, database }) => {
    const end = new Date(Date.now() + DAY);
    const call = keyed.as(await makeKey(database, { expiresAt: end }));
    expectProblem(await call('POST', '/api/keys', NEW_KEY), 403, 'forbidden');
    const later = { ...NEW_KEY, expiresAt: new Date(end.getTime() + 1).toISOString() };
    expectProblem(await call('POST', '/api/keys', later), 403, 'forbidden');
    const { status, body } = await call<IssuedKey>('POST', '/api/keys', { ...NEW_KEY, expiresAt: end.toISOString() });
    expect(status).toBe(201);
    const { body: next } = await call<IssuedKey>('POST', `/api/keys/${body.id}/rotate`);
    expect(Date.parse(next.expiresAt ?? '')).toBeLessThanOrEqual(end.getTime());
  });

  test('is one of 100 at most, and of 500 that an organization has', async ({ keyed, database }) => {
    const organizationId = `org-${randomUUID()}`;
    const maker = await makeKey(database, { organizationId });
    const call = keyed.as(maker);
    const fill = (madeByKey: string | null, count: number) =>
      database.prisma.apiKey.createMany({
        data: Array.from({ length: count }, () => {
          return {
            id: randomUUID(),
            organizationId,
            name: 'one of many',
            scopes: [],
            madeByKey,
            secretHash: randomBytes(32),
          };
        }),
      });
    const make = (body: object = {}) =>
      call<{ detail: string }>('POST', '/api/keys', { ...NEW_KEY, organizationId, ...body });
    await fill(idOf(maker), 99);
    expect((await make()).status).toBe(201);
    const answer = await make();
    expectProblem(answer, 409, 'conflict');
    expect(answer.body.detail).toMatch(/^This key has made 100 keys that work/);

    const one = await database.prisma.apiKey.findFirstOrThrow({ where: { organizationId, madeByKey: idOf(maker) } });
    await call('DELETE', `/api/keys/${one.id}`);
    await fill(null, 399); // 100 of the key's own, and itself
    expect((await make()).status).toBe(201);
    await database.prisma.apiKey.deleteMany({ where: { madeByKey: idOf(maker) } });
    await fill(null, 100);
    expect((await make()).body.detail).toMatch(/^This organization has 500 keys that work/);
  });

  test('can be revoked with it, and so on down, but for keys of others', async ({ keyed, database }) => {
    const root = keyed.as(await makeKey(database));
    const make = async (call: Call) =>
      (await call<IssuedKey>('POST', '/api/keys', { ...NEW_KEY, scopes: ['ops', 'leads:read'] })).body;
    const [child, sibling] = [await make(root), await make(root)];
    const grandchild = await make(keyed.as(child.token));
    expect((await root('DELETE', `/api/keys/${child.id}?descendants=true`)).status).toBe(204);
    const { body } = await root<Page<ApiKey>>('GET', '/api/keys');
    const ended = (id: string) => body.items.find((key) => key.id === id)?.revokedAt !== null;
    expect([child.id, grandchild.id, sibling.id].map(ended)).toEqual([true, true, false]);
  });

  test('can be revoked with what it has rotated, itself and others', async ({ keyed, database }) => {
    const owner = keyed.as(await makeKey(database));
    const { body: leaked } = await owner<IssuedKey>('POST', '/api/keys', { ...NEW_KEY, scopes: ['ops', 'leads:read'] });
    const { body: other } = await owner<IssuedKey>('POST', '/api/keys', NEW_KEY);
    const thief = keyed.as(leaked.token);
    const rotate = async (call: Call, id: string) => (await call<IssuedKey>('POST', `/api/keys/${id}/rotate`)).body;
    const stolen = [await rotate(thief, leaked.id), await rotate(thief, other.id)];
    const kept = await rotate(owner, (await owner<IssuedKey>('POST', '/api/keys', NEW_KEY)).body.id);
    expect((await owner('DELETE', `/api/keys/${leaked.id}?descendants=true`)).status).toBe(204);
    for (const { token } of stolen) expectProblem(await keyed.as(token)('GET', '/api/leads'), 401, 'unauthenticated');
    expect((await keyed.as(kept.token)('GET', '/api/leads')).status).toBe(200);
  });

  test('makes nothing once it is revoked, although a process still remembers it', async ({ keyed, database }) => {
    const token = await makeKey(database);
    const call = keyed.as(token);
    const { body: child } = await call<IssuedKey>('POST', '/api/keys', NEW_KEY);
    const revokedAt = new Date();
    await database.prisma.apiKey.update({ where: { id: idOf(token) }, data: { revokedAt } });
    expectProblem(await call('POST', '/api/keys', NEW_KEY), 403, 'forbidden');
    expectProblem(await call('POST', `/api/keys/${child.id}/rotate`), 403, 'forbidden');
  });

  test('works on for a day when it is replaced, unless the caller says otherwise', async ({ keyed, database }) => {
    const call = keyed.as(await makeKey(database));
    const { body: old } = await call<IssuedKey>('POST', '/api/keys', NEW_KEY);
    await call('POST', `/api/keys/${old.id}/rotate`);
    const row = await database.prisma.apiKey.findUniqueOrThrow({ where: { id: old.id } });
    expect(((row.expiresAt?.getTime() ?? 0) - Date.now()) / HOUR).toBeCloseTo(24, 1);
    expect((await keyed.as(old.token)('GET', '/api/leads')).status).toBe(200);
  });
});

test('GET /api/audit tells who made, replaced and revoked keys, the newest first', async ({ keyed, database }) => {
  const organizationId = `org-${randomUUID()}`;
  const maker = await makeKey(database, { organizationId });
  const call: Call = (method, path, body) => keyed.as(maker)(method, path, body, { 'x-actor-id': 'user-7' });
  const { body: made } = await call<IssuedKey>('POST', '/api/keys', { ...NEW_KEY, organizationId });
  const { body: next } = await call<IssuedKey>('POST', `/api/keys/${made.id}/rotate`);
  await call('DELETE', `/api/keys/${next.id}`);
  const first = (await call<Page<unknown>>('GET', '/api/audit?limit=2')).body;
  const second = (await call<Page<unknown>>('GET', `/api/audit?limit=2&cursor=${first.nextCursor ?? ''}`)).body;
  const caller = { keyId: idOf(maker), userId: 'user-7' };
  expect([...first.items, ...second.items]).toMatchObject([
    { action: 'key.revoked', subject: next.id, caller },
    { action: 'key.rotated', subject: made.id, data: { by: next.id }, caller },
    { action: 'key.created', subject: made.id, data: { name: 'web form', scopes: ['leads:read'] }, caller },
  ]);
  expect(second.nextCursor).toBeNull();
});
