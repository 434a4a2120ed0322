import { randomUUID } from 'node:crypto';
import { describe, expect } from 'vitest';
import { API_SCOPES } from '../../src/api-keys/scopes.ts';
import { API_ROLE } from '../../src/db/tenant.ts';
import type { Page } from '../support/api.ts';
import { createKeyedApi, type KeyedApi, makeKey, testWithoutStarts as test } from '../support/keyed-api.ts';
import {
  createHolder,
  type Holder,
  idOf,
  type Operation,
  OPERATIONS,
  perform,
  readDocument,
} from '../support/operations.ts';
import { expectProblem } from '../support/problem.ts';
import { rowsOf } from '../support/rows.ts';

/** With a key there is no need to say which organization is meant. */
const byOrganization = ([, { id, open, operator }]: [string, Operation]) => id === undefined && !open && !operator;
const all = Object.entries(OPERATIONS);
const guarded = all.filter(([, { open, operator }]) => !open && !operator);
const scoped = guarded.filter(([, { anyKey }]) => !anyKey);
const byId = all.filter(([, { id }]) => id !== undefined);
const ofOrganization = all.filter(byOrganization);

/** The scopes that the document says an operation needs. */
async function documentedScopes(api: KeyedApi): Promise<Record<string, string[]>> {
  const operations = Object.entries((await readDocument(api)).paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { security = [] }]) => {
      return [
        `${method.toUpperCase()} ${path}`,
        security.flatMap((requirement) => Object.values(requirement).flat()),
      ] as const;
    }),
  );
  return Object.fromEntries(operations);
}

describe('every operation', () => {
  test('of the document is tried below, and names one scope, unless it is open or for any key', async ({ keyed }) => {
    const scopes = await documentedScopes(keyed);
    expect(Object.keys(scopes).sort()).toEqual(Object.keys(OPERATIONS).sort());
    for (const [what, { open, anyKey }] of all) expect(scopes[what], what).toHaveLength(open || anyKey ? 0 : 1);
    for (const scope of Object.values(scopes).flat()) expect(API_SCOPES).toContain(scope);
  });
});

describe.for([
  ['both walls', API_ROLE],
  ['the filter of queries alone, without row-level security', undefined],
] as const)('with %s', ([, role]) => {
  test.override({ role });
  let shared: KeyedApi;
  let owner: Holder;
  let stranger: Holder;

  test.beforeAll(async ({ database }) => {
    shared = createKeyedApi(database, { slots: 0 }, role);
    owner = await createHolder(database);
    stranger = await createHolder(database);
  });
  test.afterAll(() => shared.close());

  test.for(guarded)('%s works for its owner', async ([what], { database }) => {
    const { token, ids, organizationId } = await createHolder(database);
    const { status } = await perform(shared, what, { token, ids, organizationId });
    expect([200, 201, 202, 204, /\/(retry|enrich)$/.test(what) ? 409 : 200]).toContain(status);
  });

  test.for(guarded)('%s wants a key that counts', async ([what], { keyed, database }) => {
    const { organizationId, ids } = owner;
    const expired = await makeKey(database, { organizationId, expiresAt: new Date(Date.now() - 1) });
    const revoked = await makeKey(database, { organizationId });
    await database.prisma.apiKey.update({ where: { id: idOf(revoked) }, data: { revokedAt: new Date() } });
    const before = await rowsOf(database, organizationId);
    for (const token of [undefined, 'nonsense', owner.token.replace(/.{43}$/, 'A'.repeat(43)), expired, revoked]) {
      const answer = await perform(keyed, what, { token, ids, organizationId });
      expectProblem(answer, 401, 'unauthenticated');
      expect(answer.headers.get('www-authenticate')).toMatch(/^Bearer/);
    }
    expect(await rowsOf(database, organizationId)).toEqual(before);
  });

  test.for(scoped)('%s names the scope that a key lacks', async ([what], { database }) => {
    const { organizationId, ids } = owner;
    const [scope = ''] = (await documentedScopes(shared))[what] ?? [];
    const others = API_SCOPES.filter((other) => other !== scope);
    const token = await makeKey(database, { organizationId, scopes: others });
    const before = await rowsOf(database, organizationId);
    const answer = await perform(shared, what, { token, ids, organizationId });
    expectProblem(answer, 403, 'forbidden');
    expect((answer.body as { detail: string }).detail).toContain(scope);
    expect(answer.headers.get('www-authenticate')).toBe(`Bearer error="insufficient_scope", scope="${scope}"`);
    expect(await rowsOf(database, organizationId)).toEqual(before);
  });

  test.for(byId)("%s answers for another organization's id as for an unknown one", async ([what], { database }) => {
    const before = await rowsOf(database, owner.organizationId);
    const told = async (ids: Holder['ids']) => {
      const answer = await perform(shared, what, { token: stranger.token, ids });
      expectProblem(answer, 404, 'not-found');
      return answer.text.replaceAll(/[\da-f]{8}-[\da-f-]{27}/g, '…');
    };
    const unknown = {
      lead: randomUUID(),
      notification: randomUUID(),
      key: randomUUID(),
      rescore: randomUUID(),
      webhook: randomUUID(),
    };
    expect(await told(owner.ids)).toBe(await told(unknown));
    expect(await rowsOf(database, owner.organizationId)).toEqual(before);
  });

  test.for(ofOrganization)('%s reaches own rows only', async ([what, { list, query, body }], { database }) => {
    const before = await rowsOf(database, owner.organizationId);
    const mine = { token: stranger.token, organizationId: stranger.organizationId };
    const answer = await perform(shared, what, mine);
    expect(answer.status).toBeLessThan(300);
    if (list) {
      const { items } = answer.body as Page<{ id: string; organizationId?: string }>;
      expect(items.length).toBeGreaterThan(0);
      for (const { id, organizationId } of items) {
        expect(Object.values(owner.ids)).not.toContain(id);
        expect([undefined, stranger.organizationId]).toContain(organizationId);
      }
    }
    const foreign = body ? { ...mine, organizationId: owner.organizationId } : { ...mine, named: owner.organizationId };
    expectProblem(await perform(shared, what, foreign), 403, 'forbidden');
    if (!body) {
      const named = await perform(shared, what, { ...mine, named: stranger.organizationId });
      expect(named.status, query).toBe(answer.status);
    }
    expect(await rowsOf(database, owner.organizationId)).toEqual(before);
  });
});
