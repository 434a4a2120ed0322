import { randomUUID } from 'node:crypto';
import { describe, expect } from 'vitest';
import { API_SCOPES } from '../../src/api-keys/scopes.ts';
import { API_ROLE } from '../../src/db/tenant.ts';
import { BUILT_IN_RULES } from '../../src/scoring/built-in.ts';
import { type Answer, newLead, type Page } from '../support/api.ts';
import type { TestDatabase } from '../support/database.ts';
import { type KeyedApi, makeKey, testWithoutStarts as test } from '../support/keyed-api.ts';
import { takeIn } from '../support/onboarding.ts';
import { expectDocumented, type OpenApiDocument } from '../support/documented.ts';
import { expectProblem } from '../support/problem.ts';
import { rowsOf } from '../support/rows.ts';
import { giveScore } from '../support/scores.ts';

/** How an operation is called, and what of an organization's it can reach. */
interface Operation {
  /** Anybody may call it. */
  open?: true;
  /** Whose id is in its path. */
  id?: 'lead' | 'notification' | 'key' | 'rescore';
  /** It answers with rows of the organization. */
  list?: true;
  query?: string;
  /** What is sent by, or for, an organization. */
  body?: (organizationId: string) => object;
}

const scoreRules = (organizationId: string) => ({
  organizationId,
  rules: [{ rule: 'all', when: 'true', points: 10, reason: { 'pt-BR': 'Todos', en: 'All' } }],
});

/** Every operation of the OpenAPI document. One that is missing here fails the test. */
const OPERATIONS: Record<string, Operation> = {
  'GET /api/leads': { list: true },
  'POST /api/leads': { body: (organizationId) => newLead({ organizationId }) },
  'GET /api/leads/{id}': { id: 'lead' },
  'PATCH /api/leads/{id}': { id: 'lead', body: () => ({ name: 'Renamed' }) },
  'DELETE /api/leads/{id}': { id: 'lead' },
  'GET /api/leads/{id}/export': { id: 'lead' },
  'GET /api/leads/{id}/timeline': { id: 'lead' },
  'GET /api/leads/{id}/score': { id: 'lead' },
  'PUT /api/leads/{id}/score/override': { id: 'lead', body: () => ({ score: 90, reason: 'Met in person' }) },
  'DELETE /api/leads/{id}/score/override': { id: 'lead' },
  'GET /api/leads/{id}/onboarding': { id: 'lead' },
  'POST /api/leads/{id}/onboarding/enrich-now': { id: 'lead' },
  'POST /api/leads/{id}/onboarding/skip-enrichment': { id: 'lead' },
  'POST /api/leads/{id}/onboarding/cancel': { id: 'lead' },
  'POST /api/leads/{id}/onboarding/retry': { id: 'lead' },
  'GET /api/score-rules': {},
  'POST /api/score-rules': { body: scoreRules },
  'GET /api/score-rules/rescores/{id}': { id: 'rescore' },
  'POST /api/score-rules/rescores/{id}/pause': { id: 'rescore' },
  'POST /api/score-rules/rescores/{id}/resume': { id: 'rescore' },
  'POST /api/score-rules/rescores/{id}/cancel': { id: 'rescore' },
  'POST /api/score-rules/dry-run': { body: scoreRules },
  'GET /api/leads/{id}/enrichment': { id: 'lead' },
  'PATCH /api/leads/{id}/enrichment': { id: 'lead', body: () => ({ fields: { city: 'Recife' } }) },
  'POST /api/leads/{id}/enrich': { id: 'lead' },
  'GET /api/notifications': { list: true, query: 'userId=user-1' },
  'GET /api/notifications/stream': { query: 'userId=user-1' },
  'POST /api/notifications/read-all': { query: 'userId=user-1' },
  'POST /api/notifications/{id}/read': { id: 'notification' },
  'GET /api/keys': { list: true },
  'POST /api/keys': { body: (organizationId) => ({ organizationId, name: 'new', scopes: ['leads:read'] }) },
  'POST /api/keys/{id}/rotate': { id: 'key' },
  'DELETE /api/keys/{id}': { id: 'key' },
  // Its key is a field of the form: see form-keys.test.ts.
  'POST /forms/leads': { open: true },
  'GET /forms/token': { open: true },
  'GET /forms/guard.js': { open: true },
  'GET /healthz': { open: true },
  'GET /readyz': { open: true },
};

/** With a key there is no need to say which organization is meant. */
const byOrganization = ([, { id, open }]: [string, Operation]) => id === undefined && !open;
const all = Object.entries(OPERATIONS);
const guarded = all.filter(([, { open }]) => !open);
const byId = all.filter(([, { id }]) => id !== undefined);
const ofOrganization = all.filter(byOrganization);

interface Holder {
  organizationId: string;
  /** Of a key for everything. */
  token: string;
  ids: Record<'lead' | 'notification' | 'key' | 'rescore', string>;
}

const idOf = (token: string) => token.split('_')[1] ?? '';

/** An organization with one of each thing. */
async function createHolder(database: TestDatabase): Promise<Holder> {
  const organizationId = `org-${randomUUID()}`;
  const { leadId } = await takeIn(database, { organizationId });
  await giveScore(database, leadId);
  const notification = { id: randomUUID(), organizationId, leadId, userId: 'user-1', assignment: 1 };
  const text = { title: 'Novo Lead', message: 'Lead Ana', actionUrl: '/dashboard' };
  await database.prisma.notification.create({ data: { ...notification, ...text } });
  const key = idOf(await makeKey(database, { organizationId }));
  await database.prisma.scoreRuleSet.create({ data: { organizationId, version: 1, rules: BUILT_IN_RULES } });
  const rescore = { id: randomUUID(), organizationId, version: 1, total: 1, requestId: 'request-1' };
  await database.prisma.scoreRescore.create({ data: rescore });
  const token = await makeKey(database, { organizationId });
  return { organizationId, token, ids: { lead: leadId, notification: notification.id, key, rescore: rescore.id } };
}

interface Target {
  token: string | undefined;
  ids?: Holder['ids'];
  /** In the query. */
  named?: string;
  /** In the body. */
  organizationId?: string;
}

/** Calls an operation with one holder's token and another's ids. Whatever comes of it, the document tells it. */
async function perform(
  api: KeyedApi,
  what: string,
  { token, ids, named, organizationId = '' }: Target,
): Promise<Answer> {
  const [method = '', path = ''] = what.split(' ');
  const { id, query, body } = OPERATIONS[what] ?? {};
  const search = [query, named && `organizationId=${named}`].filter(Boolean).join('&');
  const target = path.replace('{id}', id && ids ? ids[id] : randomUUID());
  const answer = await api.as(token)(method, search === '' ? target : `${target}?${search}`, body?.(organizationId));
  expectDocumented(await readDocument(api), what, answer);
  return answer;
}

const readDocument = async (api: KeyedApi) => (await api.call<OpenApiDocument>('GET', '/openapi.json')).body;

/** The scopes that the document says an operation needs. */
async function documentedScopes(api: KeyedApi): Promise<Record<string, string[]>> {
  const operations = Object.entries((await readDocument(api)).paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { security = [] }]) => {
      return [
        `${method.toUpperCase()} ${path}`,
        security.flatMap((requirement) => requirement['apiKey'] ?? []),
      ] as const;
    }),
  );
  return Object.fromEntries(operations);
}

describe('every operation', () => {
  test('of the document is tried below, and names one scope unless it is open', async ({ keyed }) => {
    const scopes = await documentedScopes(keyed);
    expect(Object.keys(scopes).sort()).toEqual(Object.keys(OPERATIONS).sort());
    for (const [what, { open }] of all) expect(scopes[what], what).toHaveLength(open ? 0 : 1);
    for (const scope of Object.values(scopes).flat()) expect(API_SCOPES).toContain(scope);
  });
});

describe.for([
  ['both walls', API_ROLE],
  ['the filter of queries alone, without row-level security', undefined],
] as const)('with %s', ([, role]) => {
  test.override({ role });
  let owner: Holder;
  let stranger: Holder;
  let before: Record<string, unknown[]>;

  test.beforeEach(async ({ database }) => {
    owner = await createHolder(database);
    stranger = await createHolder(database);
    before = await rowsOf(database, owner.organizationId);
  });

  test.for(guarded)('%s works for its owner', async ([what], { keyed }) => {
    const { token, ids, organizationId } = owner;
    const { status } = await perform(keyed, what, { token, ids, organizationId });
    expect([200, 201, 202, 204, /\/(retry|enrich)$/.test(what) ? 409 : 200]).toContain(status);
  });

  test.for(guarded)('%s wants a key that counts', async ([what], { keyed, database }) => {
    const { organizationId, ids } = owner;
    const expired = await makeKey(database, { organizationId, expiresAt: new Date(Date.now() - 1) });
    const revoked = await makeKey(database, { organizationId });
    await database.prisma.apiKey.update({ where: { id: idOf(revoked) }, data: { revokedAt: new Date() } });
    before = await rowsOf(database, organizationId);
    for (const token of [undefined, 'nonsense', owner.token.replace(/.{43}$/, 'A'.repeat(43)), expired, revoked]) {
      const answer = await perform(keyed, what, { token, ids, organizationId });
      expectProblem(answer, 401, 'unauthenticated');
      expect(answer.headers.get('www-authenticate')).toMatch(/^Bearer/);
    }
    expect(await rowsOf(database, organizationId)).toEqual(before);
  });

  test.for(guarded)('%s names the scope that a key lacks', async ([what], { keyed, database }) => {
    const { organizationId, ids } = owner;
    const [scope = ''] = (await documentedScopes(keyed))[what] ?? [];
    const others = API_SCOPES.filter((other) => other !== scope);
    const token = await makeKey(database, { organizationId, scopes: others });
    before = await rowsOf(database, organizationId);
    const answer = await perform(keyed, what, { token, ids, organizationId });
    expectProblem(answer, 403, 'forbidden');
    expect((answer.body as { detail: string }).detail).toContain(scope);
    expect(answer.headers.get('www-authenticate')).toBe(`Bearer error="insufficient_scope", scope="${scope}"`);
    expect(await rowsOf(database, organizationId)).toEqual(before);
  });

  test.for(byId)(
    "%s answers for another organization's id as for an unknown one",
    async ([what], { keyed, database }) => {
      const told = async (ids: Holder['ids']) => {
        const answer = await perform(keyed, what, { token: stranger.token, ids });
        expectProblem(answer, 404, 'not-found');
        return answer.text.replaceAll(/[\da-f]{8}-[\da-f-]{27}/g, '…');
      };
      const unknown = { lead: randomUUID(), notification: randomUUID(), key: randomUUID(), rescore: randomUUID() };
      expect(await told(owner.ids)).toBe(await told(unknown));
      expect(await rowsOf(database, owner.organizationId)).toEqual(before);
    },
  );

  test.for(ofOrganization)('%s reaches own rows only', async ([what, { list, query, body }], { keyed, database }) => {
    const mine = { token: stranger.token, organizationId: stranger.organizationId };
    const answer = await perform(keyed, what, mine);
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
    expectProblem(await perform(keyed, what, foreign), 403, 'forbidden');
    if (!body) {
      const named = await perform(keyed, what, { ...mine, named: stranger.organizationId });
      expect(named.status, query).toBe(answer.status);
    }
    expect(await rowsOf(database, owner.organizationId)).toEqual(before);
  });
});
