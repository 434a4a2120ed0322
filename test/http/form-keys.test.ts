import { randomUUID } from 'node:crypto';
import { describe, expect } from 'vitest';
import { API_SCOPES } from '../../src/api-keys/scopes.ts';
import type { TestDatabase } from '../support/database.ts';
import { type KeyedApi, makeKey, testWithoutStarts as test } from '../support/keyed-api.ts';
import { expectProblem } from '../support/problem.ts';
import { rowsOf } from '../support/rows.ts';

const makeFormKey = (database: TestDatabase, organizationId: string) =>
  makeKey(database, { organizationId, scopes: ['forms'] });

async function submit(api: KeyedApi, fields: object) {
  const { token } = (await api.call<{ token: string }>('GET', '/forms/token')).body;
  return api.call('POST', '/forms/leads', { name: 'Ana', token, ...fields });
}

describe('a form, where keys are required,', () => {
  test('brings a lead to the organization of its key, which it need not name', async ({ keyed, database }) => {
    const organizationId = `org-${randomUUID()}`;
    const key = await makeFormKey(database, organizationId);
    expect(await submit(keyed, { key, email: 'a@example.com' })).toMatchObject({ status: 201 });
    expect((await submit(keyed, { key, organizationId, email: 'b@example.com' })).status).toBe(201);
    const leads = await database.prisma.lead.findMany({ where: { organizationId }, orderBy: { id: 'asc' } });
    expect(leads.map(({ email, source }) => [email, source])).toEqual([
      ['a@example.com', 'FORM'],
      ['b@example.com', 'FORM'],
    ]);
  });

  test('brings none to another organization, whatever it names', async ({ keyed, database }) => {
    const [own, foreign] = [`org-${randomUUID()}`, `org-${randomUUID()}`];
    const key = await makeFormKey(database, own);
    expectProblem(await submit(keyed, { key, organizationId: foreign }), 403, 'forbidden');
    for (const organizationId of [own, foreign]) {
      expect(await database.prisma.lead.count({ where: { organizationId } })).toBe(0);
    }
  });

  test('is corrected by a key that may take leads in, in its organization only', async ({ keyed, database }) => {
    const [own, foreign] = [`org-${randomUUID()}`, `org-${randomUUID()}`];
    const email = 'ana@example.com';
    await submit(keyed, { key: await makeFormKey(database, own), email, name: 'Not Ana' });
    for (const organizationId of [foreign, own]) {
      const crm = keyed.as(await makeKey(database, { organizationId, scopes: ['leads:create'] }));
      await crm('POST', '/api/leads', { organizationId, email, name: `Ana of ${organizationId}` });
    }
    const leads = await database.prisma.lead.findMany({
      where: { organizationId: { in: [own, foreign] } },
      orderBy: { id: 'asc' },
    });
    expect(leads.map(({ organizationId, name }) => [organizationId, name])).toEqual([
      [own, `Ana of ${own}`],
      [foreign, `Ana of ${foreign}`],
    ]);
  });

  test('is refused without a key that counts, also when it is sent with a header', async ({ keyed, database }) => {
    const organizationId = `org-${randomUUID()}`;
    const revoked = await makeFormKey(database, organizationId);
    await database.prisma.apiKey.updateMany({ where: { organizationId }, data: { revokedAt: new Date() } });
    const good = await makeFormKey(database, organizationId);
    for (const key of [undefined, 'nonsense', revoked, good.replace(/.{43}$/, 'A'.repeat(43))]) {
      expectProblem(await submit(keyed, { key, organizationId }), 403, 'forbidden');
    }
    const { token } = (await keyed.call<{ token: string }>('GET', '/forms/token')).body;
    expectProblem(await keyed.as(good)('POST', '/forms/leads', { name: 'Ana', token }), 403, 'forbidden');
    expect(await database.prisma.lead.count({ where: { organizationId } })).toBe(0);
  });

  test('is refused with a key that can do more: it would stand in a public page', async ({ keyed, database }) => {
    const organizationId = `org-${randomUUID()}`;
    for (const scopes of [[...API_SCOPES], ['leads:write' as const], ['forms' as const, 'leads:read' as const]]) {
      const key = await makeKey(database, { organizationId, scopes });
      const before = await rowsOf(database, organizationId);
      const answer = await submit(keyed, { key });
      expectProblem(answer, 403, 'forbidden');
      expect((answer.body as { detail: string }).detail).toMatch(/revoke this one/);
      expect(await rowsOf(database, organizationId)).toEqual(before);
    }
  });
});

test('a form key opens nothing but forms', async ({ keyed, database }) => {
  const key = await makeFormKey(database, 'org-123');
  expectProblem(await keyed.as(key)('GET', '/api/leads'), 403, 'forbidden');
  expectProblem(
    await keyed.as(key)('POST', '/api/leads', { organizationId: 'org-123', name: 'Ana' }),
    403,
    'forbidden',
  );
});

test('a form key is made alone: with another scope beside it none is made', async ({ keyed, database }) => {
  const ops = keyed.as(await makeKey(database, { scopes: ['ops', 'leads:create', 'leads:read'] }));
  const newKey = (scopes: string[]) => ops('POST', '/api/keys', { organizationId: 'org-123', name: 'form', scopes });
  expect((await newKey(['forms'])).status).toBe(201);
  const errors = [{ path: 'scopes', message: 'must name forms alone: such a key stands in public pages' }];
  expect(await newKey(['forms', 'leads:read'])).toMatchObject({ status: 400, body: { errors } });
});
