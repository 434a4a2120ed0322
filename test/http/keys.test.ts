import { randomUUID } from 'node:crypto';
import { describe, expect } from 'vitest';
import type { ApiKey, IssuedKey } from '../../src/api-keys/api-key.ts';
import type { Answer, Page } from '../support/api.ts';
import { makeKey, testWithoutStarts as test } from '../support/keyed-api.ts';
import { expectProblem } from '../support/problem.ts';

const NEW_KEY = { organizationId: 'org-123', name: 'web form', scopes: ['leads:read'] };
const HOUR = 3_600_000;

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
