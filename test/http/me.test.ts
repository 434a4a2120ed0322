import { expect } from 'vitest';
import { API_SCOPES } from '../../src/api-keys/scopes.ts';
import { API_ROLE } from '../../src/db/tenant.ts';
import { createRateLimiter } from '../../src/rate-limit/limiter.ts';
import { newLead } from '../support/api.ts';
import { createKeyedApi, makeKey, testWithoutStarts as test } from '../support/keyed-api.ts';
import { expectProblem } from '../support/problem.ts';

interface Me {
  organizationId: string | null;
  key: { id: string; expiresAt: string | null } | null;
  scopes: string[];
  limits: { requests: { count: number; seconds: number } | null; bodyBytes: number; attributesBytes: number };
}

test('GET /api/me tells a caller whose key it has, and what for', async ({ keyed, database }) => {
  const expiresAt = new Date(Date.now() + 3_600_000);
  const token = await makeKey(database, { organizationId: 'org-me', scopes: ['rules', 'leads:create'], expiresAt });
  const { status, body } = await keyed.as(token)<Me>('GET', '/api/me');
  expect(status).toBe(200);
  expect(body).toMatchObject({
    organizationId: 'org-me',
    key: { id: token.split('_')[1], expiresAt: expiresAt.toISOString() },
    scopes: ['leads:create', 'rules'],
    limits: { requests: null },
  });
});

test('GET /api/me tells the limits that hold', async ({ database }) => {
  const rateLimiter = createRateLimiter({ requests: 3, seconds: 60 });
  const api = createKeyedApi(database, { slots: 0, rateLimiter }, API_ROLE);
  const call = api.as(await makeKey(database));
  const { limits } = (await call<Me>('GET', '/api/me')).body;
  const attributes = (bytes: number) => ({ a: 'x'.repeat(bytes - Buffer.byteLength('{"a":""}')) });
  const post = async (bytes: number) =>
    (await call('POST', '/api/leads', newLead({ attributes: attributes(bytes) }))).status;
  expect(await post(limits.attributesBytes)).toBe(201);
  expect(await post(limits.attributesBytes + 1)).toBe(400);
  expect(limits.requests).toEqual({ count: 3, seconds: 60 });
  expectProblem(await call('GET', '/api/me'), 429, 'rate-limited');
  await api.close();
});

test('GET /api/me without keys: everybody may do everything', async ({ api }) => {
  const { body } = await api.call<Me>('GET', '/api/me');
  expect(body).toMatchObject({ organizationId: null, key: null, scopes: [...API_SCOPES] });
});

test('GET /api/me is not for keys that stand in public pages', async ({ keyed, database }) => {
  const call = keyed.as(await makeKey(database, { scopes: ['forms'] }));
  expectProblem(await call('GET', '/api/me'), 403, 'forbidden');
});
