import { describe, expect } from 'vitest';
import type { Lead } from '../../src/leads/lead.ts';
import { onboardByHand } from '../support/rows.ts';
import { newLead, testWithoutStarts as test, type TestApi } from '../support/api.ts';
import type { TestDatabase } from '../support/database.ts';
import { expectProblem } from '../support/problem.ts';

const etagOf = ({ headers }: { headers: Headers }) => headers.get('etag') ?? '';

async function create(api: TestApi) {
  const created = await api.call<Lead>('POST', '/api/leads', newLead());
  return { id: created.body.id, path: `/api/leads/${created.body.id}`, etag: etagOf(created), created };
}

const change = (api: TestApi, path: string, body: object, etag: string) =>
  api.call<Lead>('PATCH', path, body, { 'if-match': etag });

/** What the onboarding does to a lead while somebody edits it. */
const score = (database: TestDatabase, id: string) =>
  onboardByHand(database, id, { score: 85, band: 'HOT', state: 'COMPLETED' });

const editsOf = ({ prisma }: TestDatabase, leadId: string) =>
  prisma.leadEvent.count({ where: { leadId, type: 'lead.updated' } });

describe('the ETag of a lead', () => {
  test('is the same wherever the same state is answered', async ({ api }) => {
    const { path, etag, created } = await create(api);
    expect(etag).toMatch(/^"1-[\w-]{22}"$/);
    expect(etagOf(await api.call('GET', path))).toBe(etag);
    const { organizationId, email, name } = created.body;
    const duplicate = await api.call('POST', '/api/leads', { organizationId, email, name });
    expect(duplicate.status).toBe(200);
    expect(etagOf(duplicate)).toBe(etag);
    expect(etagOf(await api.call('PATCH', path, { name }))).toBe(etag); // changes nothing
  });

  test('differs after every change, of whomever', async ({ api, database }) => {
    const { id, path, etag } = await create(api);
    const changed = await api.call('PATCH', path, { name: 'Maria' });
    expect(etagOf(await api.call('GET', path))).toBe(etagOf(changed));
    await score(database, id);
    const tags = [etag, etagOf(changed), etagOf(await api.call('GET', path))];
    expect(new Set(tags).size).toBe(3);
  });
});

describe('GET /api/leads/{id} with If-None-Match', () => {
  test('answers 304 without a body until the lead changes', async ({ api, database }) => {
    const { id, path, etag } = await create(api);
    for (const known of [etag, `W/${etag}`, `"other", ${etag}`, '*']) {
      const answer = await api.call('GET', path, undefined, { 'if-none-match': known });
      expect(answer).toMatchObject({ status: 304, text: '' });
      expect(etagOf(answer)).toBe(etag);
    }
    await score(database, id);
    const answer = await api.call<Lead>('GET', path, undefined, { 'if-none-match': etag });
    expect(answer).toMatchObject({ status: 200, body: { score: 85 } });
  });
});

describe('PATCH /api/leads/{id} with If-Match', () => {
  test('refuses with 412 what is meant for an earlier version, and changes nothing', async ({ api, database }) => {
    const { id, path, etag } = await create(api);
    const first = await change(api, path, { name: 'Maria' }, etag);
    expect(first.status).toBe(200);
    expectProblem(await change(api, path, { company: 'Nova' }, etag), 412, 'precondition-failed');
    expect((await api.call('GET', path)).body).toEqual(first.body);
    expect(await editsOf(database, id)).toBe(1);
    expect((await change(api, path, { company: 'Nova' }, etagOf(first))).status).toBe(200);
  });

  test('lets an editor through although the onboarding has scored the lead meanwhile', async ({ api, database }) => {
    const { id, path, etag } = await create(api);
    await score(database, id);
    const changed = await change(api, path, { name: 'Maria' }, etag);
    expect(changed).toMatchObject({ status: 200, body: { name: 'Maria', score: 85 } });
    expectProblem(await change(api, path, { name: 'Ana' }, etag), 412, 'precondition-failed');
  });

  test('lets one of two editors through who start from the same version at the same moment', async ({
    api,
    database,
  }) => {
    const { id, path, etag } = await create(api);
    let current = etag;
    for (let round = 1; round <= 10; round += 1) {
      const answers = await Promise.all([
        change(api, path, { name: `A${round}` }, current),
        change(api, path, { company: `B${round}` }, current),
      ]);
      expect(answers.map(({ status }) => status).sort()).toEqual([200, 412]);
      const [won] = answers.filter(({ status }) => status === 200);
      expect((await api.call('GET', path)).body).toEqual(won?.body);
      expect(await editsOf(database, id)).toBe(round);
      current = won ? etagOf(won) : '';
    }
  });

  test('loses nothing of ten editors who each try until they get through', async ({ api, database }) => {
    const { path } = await create(api);
    const add = async (editor: number) => {
      for (let status = 0; status !== 200;) {
        const { headers, body } = await api.call<Lead>('GET', path);
        const attributes = { ...body.attributes, [`editor-${editor}`]: true };
        ({ status } = await change(api, path, { attributes }, etagOf({ headers })));
        expect([200, 412]).toContain(status);
      }
    };
    await Promise.all(Array.from({ length: 10 }, (_, editor) => add(editor)));
    const { body } = await api.call<Lead>('GET', path);
    expect(Object.keys(body.attributes)).toHaveLength(10);
    expect(await editsOf(database, body.id)).toBe(10);
  });

  test('takes several, one that a proxy has made weak, and * for any', async ({ api }) => {
    const { path, etag } = await create(api);
    let current = etag;
    for (const given of [(tag: string) => `"other", ${tag}`, (tag: string) => `W/${tag}`, () => '*']) {
      const answer = await change(api, path, { name: given(current) }, given(current));
      expect(answer.status).toBe(200);
      current = etagOf(answer);
    }
    expectProblem(await change(api, path, { name: 'Ana' }, '"10-x"'), 412, 'precondition-failed');
  });

  test('does not take the answer of a repeated request for the state of now', async ({ api }) => {
    const [lead, key] = [newLead(), { 'idempotency-key': 'etag-1' }];
    const first = await api.call<Lead>('POST', '/api/leads', lead, key);
    const path = `/api/leads/${first.body.id}`;
    await api.call('PATCH', path, { name: 'Maria' });
    const again = await api.call<Lead>('POST', '/api/leads', lead, key);
    expect(etagOf(again)).toBe(etagOf(first));
    expectProblem(await change(api, path, { name: 'Ana' }, etagOf(again)), 412, 'precondition-failed');
  });

  test.for(['3', 'abc', '"abc', '*, "abc"', ''])('refuses what is no ETag with 400: %s', async (etag, { api }) => {
    const { path } = await create(api);
    expectProblem(await change(api, path, { name: 'Ana' }, etag), 400, 'invalid-request', ['if-match']);
  });

  test('is 404 for a lead that there is not, whatever the ETag', async ({ api }) => {
    const { path, id } = await create(api);
    const unknown = path.replace(id, crypto.randomUUID());
    expectProblem(await change(api, unknown, { name: 'Ana' }, '"1-x"'), 404, 'not-found');
  });
});
