import { describe, expect } from 'vitest';
import type { Lead } from '../../src/leads/lead.ts';
import { newLead } from '../support/api.ts';
import { makeKey, testWithoutStarts as test } from '../support/keyed-api.ts';
import { expectProblem } from '../support/problem.ts';

describe('a key that takes leads in', () => {
  test('learns of one that was there its id, and no more, and changes nothing of it', async ({ keyed, database }) => {
    const lead = newLead({ phone: '+55 11 91234-5678' });
    const { body: known } = await keyed.as(await makeKey(database))<Lead>('POST', '/api/leads', lead);
    const taker = keyed.as(await makeKey(database, { scopes: ['leads:create'] }));
    const key = { 'idempotency-key': `again ${known.id}` };
    for (const headers of [undefined, key, key]) {
      const answer = await taker('POST', '/api/leads', { ...newLead(), email: lead.email }, headers);
      expect(answer).toMatchObject({ status: 200 });
      expect(answer.body).toEqual({ id: known.id, duplicate: true });
      expect([answer.headers.get('etag'), answer.headers.get('location')]).toEqual([null, null]);
    }
    const { body } = await keyed.as(await makeKey(database))<Lead>('GET', `/api/leads/${known.id}`);
    expect(body).toEqual(known);
  });

  test.for([
    ['GET', ''],
    ['PATCH', ''],
    ['DELETE', ''],
    ['GET', '/timeline'],
    ['GET', '/export'],
    ['POST', '/onboarding/cancel'],
  ] as const)('cannot %s /api/leads/{id}%s', async ([method, path], { keyed, database }) => {
    const taker = keyed.as(await makeKey(database, { scopes: ['leads:create'] }));
    const { status, body } = await taker<Lead>('POST', '/api/leads', newLead());
    expect(status).toBe(201);
    const change = method === 'PATCH' ? { name: 'Ana' } : undefined;
    expectProblem(await taker(method, `/api/leads/${body.id}${path}`, change), 403, 'forbidden');
  });
});

test('a key that changes leads erases none', async ({ keyed, database }) => {
  const call = keyed.as(await makeKey(database, { scopes: ['leads:create', 'leads:read', 'leads:write'] }));
  const { body } = await call<Lead>('POST', '/api/leads', newLead());
  expect((await call('PATCH', `/api/leads/${body.id}`, { name: 'Ana' })).status).toBe(200);
  expectProblem(await call('DELETE', `/api/leads/${body.id}`), 403, 'forbidden');
  const eraser = keyed.as(await makeKey(database, { scopes: ['leads:erase'] }));
  expect((await eraser('DELETE', `/api/leads/${body.id}`)).status).toBe(204);
});
