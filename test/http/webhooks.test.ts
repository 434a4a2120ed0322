import { describe, expect } from 'vitest';
import type { Call } from '../support/api.ts';
import { makeKey, testWithoutStarts as test } from '../support/keyed-api.ts';
import { expectProblem } from '../support/problem.ts';

const URL_OUTSIDE = 'https://hooks.acme.com/leads';

const create = async (call: Call, change = {}) =>
  (await call<{ id: string; secret: string }>('POST', '/api/webhooks', { url: URL_OUTSIDE, ...change })).body;

describe('/api/webhooks', () => {
  test('has events told of persons, or told elsewhere, by keys only that may read leads', async ({
    keyed,
    database,
  }) => {
    const organizationId = 'org-persons';
    const all = keyed.as(await makeKey(database, { organizationId }));
    const few = keyed.as(await makeKey(database, { organizationId, scopes: ['webhooks'] }));
    const persons = { url: URL_OUTSIDE, includePersonalData: true };
    expectProblem(await few('POST', '/api/webhooks', persons), 403, 'forbidden');
    const { id } = await create(all, { includePersonalData: true });
    const path = `/api/webhooks/${id}`;
    expectProblem(await few('PATCH', path, { url: 'https://elsewhere.acme.com/' }), 403, 'forbidden');
    expect((await few('GET', path)).body).toMatchObject({ url: URL_OUTSIDE });
    expect((await few('PATCH', path, { description: 'CRM' })).status).toBe(200);
    expect((await all('PATCH', path, { url: 'https://elsewhere.acme.com/' })).status).toBe(200);

    const plain = `/api/webhooks/${(await create(few)).id}`;
    expectProblem(await few('PATCH', plain, { includePersonalData: true }), 403, 'forbidden');
    expect((await few('PATCH', plain, { url: 'https://elsewhere.acme.com/' })).status).toBe(200);
  });

  test.for([
    'http://hooks.acme.com/',
    'https://10.0.0.1/',
    'https://[::1]/',
    'https://2130706434/',
    'https://localhost/',
    'https://printer.local/',
    'https://user:password@hooks.acme.com/',
    'ftp://hooks.acme.com/',
  ])('does not take %s', async (url, { keyed, database }) => {
    const call = keyed.as(await makeKey(database));
    expectProblem(await call('POST', '/api/webhooks', { url }), 400, 'invalid-request', ['url']);
    const { id } = await create(call);
    expectProblem(await call('PATCH', `/api/webhooks/${id}`, { url }), 400, 'invalid-request', ['url']);
    await call('DELETE', `/api/webhooks/${id}`);
  });

  test('shows a secret once, and has 50 of an organization at most', async ({ keyed, database }) => {
    const call = keyed.as(await makeKey(database, { organizationId: 'org-many' }));
    const first = await create(call);
    for (let i = 1; i < 50; i += 1) await create(call);
    expectProblem(await call('POST', '/api/webhooks', { url: URL_OUTSIDE }), 409, 'conflict');
    const list = await call('GET', '/api/webhooks');
    expect(list.text).toContain(first.id);
    expect(list.text + (await call('GET', `/api/webhooks/${first.id}`)).text).not.toContain('whsec_');
  });
});
