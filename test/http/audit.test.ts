import { randomUUID } from 'node:crypto';
import { describe, expect } from 'vitest';
import type { TestDatabase } from '../support/database.ts';
import { type KeyedApi, testWithoutStarts as test } from '../support/keyed-api.ts';
import { createHolder, type Holder, idOf, OPERATIONS, perform, readDocument } from '../support/operations.ts';
import { expectProblem } from '../support/problem.ts';
import { rowsOf } from '../support/rows.ts';

interface Parameter {
  $ref?: string;
  name?: string;
}

/** The operations that the document says take a header. */
async function operationsWith(api: KeyedApi, header: string): Promise<string[]> {
  const document = await readDocument(api);
  return Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods)
      .filter(([, operation]) =>
        ((operation as { parameters?: Parameter[] }).parameters ?? []).some(
          ({ $ref = '', name }) => name === header || $ref.endsWith(`/${header}`),
        ),
      )
      .map(([method]) => `${method.toUpperCase()} ${path}`),
  );
}

/** Those that change something, and that a key opens. */
const CHANGES = Object.entries(OPERATIONS).filter(
  ([what, { open, operator }]) => !open && !operator && !what.startsWith('GET'),
);
/** They are on record as well: see operators.test.ts. */
const OF_OPERATORS = Object.keys(OPERATIONS).filter((what) => /^(?!GET).* \/ops\//.test(what));
/** They change what somebody has read, or nothing. */
const UNSEEN = /\/api\/notifications\/|\/dry-run$|\/stream\/token$/;
/** What they answer is shown once. */
const SECRET_ONCE = /^POST \/api\/(keys|webhooks$|webhooks\/{id}\/rotate-secret)/;
const KEYED = CHANGES.filter(([what]) => !/\/(dry-run|stream\/token)$/.test(what));
const AUDITED = CHANGES.filter(([what]) => !UNSEEN.test(what));

/** What must hold before an operation has something to do. */
async function prepare(api: KeyedApi, database: TestDatabase, what: string, holder: Holder): Promise<void> {
  const target = { token: holder.token, ids: holder.ids, organizationId: holder.organizationId };
  if (what === 'DELETE /api/leads/{id}/score/override')
    await perform(api, 'PUT /api/leads/{id}/score/override', target);
  if (what.endsWith('/unarchive')) await perform(api, what.replace('/unarchive', '/archive'), target);
  if (what.endsWith('/resume')) await perform(api, what.replace('/resume', '/pause'), target);
  const state = /\/(retry|enrich)$/.test(what) ? 'PARTIAL' : undefined;
  if (state) await database.prisma.onboarding.update({ where: { leadId: holder.ids.lead }, data: { state: state } });
}

describe('what is changed is on record with who changed it', () => {
  test('wherever the document says that X-Actor-Id counts: at every change', async ({ keyed }) => {
    expect((await operationsWith(keyed, 'x-actor-id')).sort()).toEqual(
      [...AUDITED.map(([what]) => what), ...OF_OPERATORS].sort(),
    );
  });

  test.for(AUDITED)('%s', async ([what], { keyed, database }) => {
    const holder = await createHolder(database);
    await prepare(keyed, database, what, holder);
    const [userId, requestId] = [`user-${randomUUID()}`, randomUUID()];
    const target = { token: holder.token, ids: holder.ids, organizationId: holder.organizationId };
    const headers = { 'x-actor-id': userId, 'x-request-id': requestId };
    const { status } = await perform(keyed, what, { ...target, headers });
    expect(status).toBeLessThan(300);

    const rows = await rowsOf(database, holder.organizationId);
    const noted = JSON.stringify([rows['audit_entry'], rows['lead_event']]);
    const caller = [userId, requestId, `"keyId":"${idOf(holder.token)}"`, '"ipAddress":'];
    for (const part of caller) expect(noted, part).toContain(part);
  });
});

describe('an Idempotency-Key', () => {
  test('counts for every change, as the document says', async ({ keyed }) => {
    expect((await operationsWith(keyed, 'idempotency-key')).sort()).toEqual(KEYED.map(([what]) => what).sort());
  });

  test.for(KEYED)('%s is done once for one', async ([what], { keyed, database }) => {
    const holder = await createHolder(database);
    await prepare(keyed, database, what, holder);
    const target = { token: holder.token, ids: holder.ids, organizationId: holder.organizationId };
    const headers = { 'idempotency-key': randomUUID() };
    const body = OPERATIONS[what]?.body?.(holder.organizationId);
    const once = () => keyed.as(holder.token)(...urlOf(what, target.ids), body, headers);
    const first = await once();
    expect(first.status).toBeLessThan(300);
    const before = await rowsOf(database, holder.organizationId);
    const again = await once();
    expect(await rowsOf(database, holder.organizationId)).toEqual(before);
    if (SECRET_ONCE.test(what)) {
      const { id } = first.body as { id: string };
      expect(again).toMatchObject({ status: 409, body: { detail: expect.stringContaining(id) as string } });
    } else {
      expect({ status: again.status, body: again.body }).toEqual({ status: first.status, body: first.body });
    }
  });

  test.for(KEYED)('%s refuses one of another request', async ([what], { keyed, database }) => {
    const holder = await createHolder(database);
    await prepare(keyed, database, what, holder);
    const headers = { 'idempotency-key': 'used' };
    const body = { organizationId: holder.organizationId, name: 'Ana' };
    await keyed.as(holder.token)('POST', '/api/leads', body, headers);
    const { ids, token, organizationId } = holder;
    const before = await rowsOf(database, organizationId);
    const answer = await perform(keyed, what, { token, ids, organizationId, headers });
    expect(answer).toMatchObject({ status: 422, body: { detail: 'Use a new Idempotency-Key for a new request.' } });
    expect(await rowsOf(database, organizationId)).toEqual(before);
  });
});

test('an Idempotency-Key is refused where nothing is changed', async ({ keyed, database }) => {
  const { token, organizationId } = await createHolder(database);
  const target = { token, organizationId, headers: { 'idempotency-key': 'one' } };
  const answer = await perform(keyed, 'POST /api/score-rules/dry-run', target);
  expectProblem(answer, 400, 'invalid-request', ['idempotency-key']);
});

function urlOf(what: string, ids: Holder['ids']): [method: string, url: string] {
  const [method = '', path = ''] = what.split(' ');
  const { id, query } = OPERATIONS[what] ?? {};
  return [method, path.replace('{id}', id ? ids[id] : '') + (query ? `?${query}` : '')];
}
