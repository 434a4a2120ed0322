import { randomUUID } from 'node:crypto';
import { describe, expect, onTestFinished, vi } from 'vitest';
import { createKeyring } from '../../src/api-keys/keyring.ts';
import { createPool } from '../../src/db/pool.ts';
import { createTestApi, newLead } from '../support/api.ts';
import { makeKey, testWithoutStarts as test } from '../support/keyed-api.ts';
import { recordLog } from '../support/log.ts';
import { within } from '../support/patience.ts';
import { expectProblem } from '../support/problem.ts';
import { recordStatements } from '../support/statements.ts';
import { startTcpProxy } from '../support/tcp-proxy.ts';

const idOf = (token: string) => token.split('_')[1] ?? '';

describe('a request without a key that counts', () => {
  test.for([
    ['no header', undefined],
    ['another scheme', 'Basic dXNlcjpwYXNzd29yZA=='],
    ['no token', 'Bearer '],
    ['two tokens', 'Bearer lok_a lok_b'],
  ])('%s: it is asked for one', async ([, authorization], { keyed }) => {
    const headers = authorization === undefined ? {} : { authorization };
    const answer = await keyed.call('POST', '/api/leads', newLead(), headers);
    expectProblem(answer, 401, 'unauthenticated');
    expect(answer.headers.get('www-authenticate')).toBe('Bearer');
  });

  test.for([
    ['something else', () => 'secret'],
    ['an unknown id', (token: string) => token.replace(idOf(token), randomUUID())],
    ['another secret', (token: string) => token.replace(/.{43}$/, 'A'.repeat(43))],
    ['half a secret', (token: string) => token.slice(0, -20)],
  ] as const)('%s: it is refused', async ([, change], { keyed, database }) => {
    const call = keyed.as(change(await makeKey(database)));
    const answer = await call('GET', '/api/leads');
    expectProblem(answer, 401, 'unauthenticated');
    expect(answer.headers.get('www-authenticate')).toBe('Bearer error="invalid_token"');
  });

  test('one that has expired, or was revoked, is told so to whoever has its secret, and to nobody else', async ({
    keyed,
    database,
  }) => {
    const expired = await makeKey(database, { expiresAt: new Date(Date.now() - 1) });
    const revoked = await makeKey(database);
    await database.prisma.apiKey.update({ where: { id: idOf(revoked) }, data: { revokedAt: new Date() } });
    for (const [token, reason] of [
      [expired, /expired/],
      [revoked, /revoked/],
    ] as const) {
      const holder = await keyed.as(token)('GET', '/api/leads');
      expectProblem(holder, 401, 'unauthenticated');
      expect(holder.text).toMatch(reason);
      const guesser = await keyed.as(token.replace(/.{43}$/, 'A'.repeat(43)))('GET', '/api/leads');
      expectProblem(guesser, 401, 'unauthenticated');
      expect(guesser.text).not.toMatch(reason);
    }
  });

  test('is refused before its path, its query and its body are looked at', async ({ keyed }) => {
    for (const [method, path, body] of [
      ['GET', '/api/unknown'],
      ['DELETE', '/api/leads'],
      ['GET', '/api/leads?nonsense=1'],
      ['POST', '/api/leads', '{'],
    ] as const)
      expectProblem(await keyed.call(method, path, body), 401, 'unauthenticated');
  });

  test.for(['/healthz', '/readyz', '/openapi.json', '/docs'])('is enough for %s', async (path, { keyed }) => {
    expect((await keyed.call('GET', path)).status).toBe(200);
  });
});

describe('a key', () => {
  test('works until the very moment of its expiry', async ({ keyed, database }) => {
    vi.useFakeTimers({ toFake: ['Date'] });
    onTestFinished(() => void vi.useRealTimers());
    const expiresAt = new Date(Date.now() + 3_600_000);
    const call = keyed.as(await makeKey(database, { expiresAt }));
    vi.setSystemTime(expiresAt.getTime() - 1);
    expect((await call('GET', '/api/leads')).status).toBe(200);
    vi.setSystemTime(expiresAt);
    expect((await call('GET', '/api/leads')).status).toBe(401);
  });

  test('costs no query while it is in use: a lead is still taken in with one', async ({ keyed, database }) => {
    const call = keyed.as(await makeKey(database));
    await call('POST', '/api/leads', newLead());
    const statements = recordStatements();
    for (const body of [newLead(), newLead()]) {
      await keyed.idle();
      statements.length = 0;
      expect((await call('POST', '/api/leads', body)).status).toBe(201);
      const asked = statements.map(({ text }) => text).filter((text) => text !== 'NOTIFY outbox');
      expect(asked).toEqual([expect.stringContaining('intake_group(')]);
    }
  });

  test('is not judged while Postgres is away: 503 in time, and it works again afterwards', async ({ database }) => {
    const proxy = await startTcpProxy(Number(new URL(database.url).port));
    onTestFinished(() => proxy.close());
    const url = new URL(database.url);
    url.port = String(proxy.port);
    const pool = createPool({ connectionString: url.href, max: 2, applicationName: 'away', onError: () => undefined });
    onTestFinished(() => pool.end());
    const keyring = createKeyring({ pool, log: recordLog().log });
    const api = createTestApi(database, { slots: 0, keyring });
    onTestFinished(() => api.close());
    const token = await makeKey(database);
    const list = () => api.call('GET', '/api/leads', undefined, { authorization: `Bearer ${token}` });

    proxy.setSilent(true);
    expectProblem(await within(list(), 'it waits for ever'), 503, 'unavailable');
    proxy.setSilent(false);
    await expect.poll(async () => (await list()).status).toBe(200);
  });

  test('that nobody knows costs one query, however often it is tried', async ({ keyed, database }) => {
    const stranger = keyed.as((await makeKey(database)).replace(/_.{36}_/, `_${randomUUID()}_`));
    const statements = recordStatements();
    const answers = await Promise.all(Array.from({ length: 20 }, () => stranger('GET', '/api/leads')));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([401]));
    expect(statements).toHaveLength(1);
  });

  test('that is guessed is not even looked for after 60 in a minute, while one that works goes on', async ({
    keyed,
    database,
  }) => {
    const token = await makeKey(database);
    const guess = () => keyed.as(token.replace(/_.{36}_/, `_${randomUUID()}_`))('GET', '/api/leads');
    for (let n = 0; n < 60; n += 1) expectProblem(await guess(), 401, 'unauthenticated');
    expect((await keyed.as(token)('GET', '/api/leads')).status).toBe(429); // its first use looks like a guess
    const statements = recordStatements();
    for (let n = 0; n < 20; n += 1) {
      const answer = await guess();
      expectProblem(answer, 429, 'rate-limited');
      expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
    }
    expect(statements).toEqual([]);
  });

  test('is nowhere in the log, not even its hash; its id is', async ({ keyed, database }) => {
    const token = await makeKey(database, { scopes: ['leads:write'] });
    const wrong = token.replace(/.{43}$/, 'A'.repeat(43));
    for (const call of [keyed.as(token), keyed.as(wrong)]) {
      const answers = [await call('POST', '/api/leads', newLead()), await call('GET', '/api/leads')];
      for (const { text } of answers) expect(text).not.toContain('lok_');
    }
    const { secretHash } = await database.prisma.apiKey.findUniqueOrThrow({ where: { id: idOf(token) } });
    const text = JSON.stringify(keyed.log);
    expect(text).toContain(idOf(token));
    for (const encoding of ['hex', 'base64', 'base64url'] as const)
      expect(text).not.toContain(Buffer.from(secretHash).toString(encoding));
    for (const secret of ['lok_', token.slice(-43), wrong.slice(-43)]) expect(text).not.toContain(secret);
  });

  test('has its last use noted, once a minute for all processes', async ({ keyed, database }) => {
    const token = await makeKey(database);
    const lastUse = async () => (await database.prisma.apiKey.findUnique({ where: { id: idOf(token) } }))?.lastUsedAt;
    expect(await lastUse()).toBeNull();
    await keyed.as(token)('GET', '/api/leads');
    await expect.poll(lastUse).toEqual(expect.any(Date));

    const first = await lastUse();
    await keyed.as(token)('GET', '/api/leads');
    expect(await lastUse()).toEqual(first);
  });
});

test('without keys whoever calls names the organization of a list', async ({ database }) => {
  const api = createTestApi(database, { slots: 0 });
  expectProblem(await api.call('GET', '/api/leads'), 400, 'invalid-request', ['organizationId']);
  await api.close();
});
