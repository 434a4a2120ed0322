import fc from 'fast-check';
import { describe, expect } from 'vitest';
import type { Lead } from '../../src/leads/lead.ts';
import { newLead, type Page, testWithoutStarts as test } from '../support/api.ts';
import { expectProblem } from '../support/problem.ts';

const storable = fc.string({ unit: 'binary', maxLength: 8 }).map((text) => text.replaceAll('\0', ''));
/** Any JSON of a caller's; what `JSON.stringify` changes (-0) is not the service's to keep. */
const json = fc
  .jsonValue({ maxDepth: 5, stringUnit: 'binary' })
  .filter((value) => !JSON.stringify(value).includes('\\u0000'));
const attributes = fc
  .dictionary(storable, json, { maxKeys: 6 })
  .map((value) => JSON.parse(JSON.stringify(value)) as object);

describe('attributes', () => {
  test('come back as they were sent, by every way', async ({ api }) => {
    await fc.assert(
      fc.asyncProperty(attributes, attributes, async (first, second) => {
        const created = await api.call<Lead>('POST', '/api/leads', newLead({ attributes: first }));
        expect(created).toMatchObject({ status: 201 });
        expect(created.body.attributes).toEqual(first);
        const path = `/api/leads/${created.body.id}`;
        expect((await api.call<Lead>('PATCH', path, { attributes: second })).body.attributes).toEqual(second);
        expect((await api.call<Lead>('GET', path)).body.attributes).toEqual(second);
      }),
      { numRuns: 50 },
    );
  });

  test('may have a key named __proto__ like any other', async ({ api }) => {
    const text = '{"organizationId":"org-1","name":"Ana","attributes":{"__proto__":{"a":1},"b":{"__proto__":2}}}';
    const answer = await api.call<Lead>('POST', '/api/leads', text);
    expect(answer.status).toBe(201);
    expect(answer.text).toContain('"__proto__":{"a":1}');
    expect(answer.text).toContain('"b":{"__proto__":2}');
    const read = await api.call('GET', `/api/leads/${answer.body.id}`);
    expect(read.text).toBe(answer.text);
  });

  test.for(['null', '1', '{"a":1}'])('may have one within another by a change as well: %s', async (value, { api }) => {
    const { body } = await api.call<Lead>('POST', '/api/leads', newLead());
    const text = `{"attributes":{"b":{"__proto__":${value}}}}`;
    const answer = await api.call('PATCH', `/api/leads/${body.id}`, text);
    expect(answer.status).toBe(200);
    expect(answer.text).toContain(`"b":{"__proto__":${value}}`);
    const timeline = await api.call('GET', `/api/leads/${body.id}/timeline`);
    expect(timeline.text).toContain(`"to":{"b":{"__proto__":${value}}}`);
  });
});

describe('a merge patch', () => {
  const MERGE = { 'content-type': 'application/merge-patch+json' };

  test('merges attributes, takes away what is null, and leaves the rest', async ({ api }) => {
    const attributes = { a: 1, b: { c: 2, d: 3 }, e: [1] };
    const { body } = await api.call<Lead>('POST', '/api/leads', newLead({ attributes }));
    const path = `/api/leads/${body.id}`;
    const patch = { name: 'Ana', phone: null, attributes: { a: null, b: { d: 4 }, e: [2], f: {} } };
    const patched = await api.call<Lead>('PATCH', path, patch, MERGE);
    const after = { b: { c: 2, d: 4 }, e: [2], f: {} };
    expect(patched).toMatchObject({ status: 200, body: { name: 'Ana', phone: null } });
    expect(patched.body.attributes).toEqual(after);
    const timeline = await api.call<Page<{ data: { changes?: object } }>>('GET', `${path}/timeline`);
    expect(timeline.body.items.at(-1)?.data.changes).toMatchObject({ attributes: { from: attributes, to: after } });

    const same = await api.call<Lead>('PATCH', path, { attributes: { b: {}, gone: null } }, MERGE);
    expect(same.headers.get('etag')).toBe(patched.headers.get('etag'));
    expect((await api.call<Lead>('PATCH', path, { attributes: { a: 1 } })).body.attributes).toEqual({ a: 1 });
  });

  test('of two at once loses neither', async ({ api }) => {
    const { body } = await api.call<Lead>('POST', '/api/leads', newLead());
    const path = `/api/leads/${body.id}`;
    const names = Array.from({ length: 8 }, (_, i) => `n${i}`);
    await Promise.all(names.map((name) => api.call('PATCH', path, { attributes: { [name]: 1 } }, MERGE)));
    const { attributes } = (await api.call<Lead>('GET', path)).body;
    expect(Object.keys(attributes).toSorted()).toEqual(names);
  });

  test('is refused when the attributes would be too large with it', async ({ api }) => {
    const half = 'x'.repeat(40 * 1024);
    const { body } = await api.call<Lead>('POST', '/api/leads', newLead({ attributes: { a: half } }));
    const path = `/api/leads/${body.id}`;
    const answer = await api.call('PATCH', path, { attributes: { b: half } }, MERGE);
    expectProblem(answer, 400, 'invalid-request', ['attributes']);
    expect((await api.call('GET', path)).body).toEqual(body);
    expect((await api.call('PATCH', path, { attributes: { a: null, b: half } }, MERGE)).status).toBe(200);
  });

  test('is another request than the same text as JSON', async ({ api }) => {
    const { body } = await api.call<Lead>('POST', '/api/leads', newLead({ attributes: { a: 1 } }));
    const path = `/api/leads/${body.id}`;
    const key = { 'idempotency-key': `merge ${body.id}` };
    const change = { attributes: { b: 2 } };
    expect((await api.call('PATCH', path, change, { ...MERGE, ...key })).status).toBe(200);
    expectProblem(await api.call('PATCH', path, change, key), 422, 'idempotency-key-reused');
    expect((await api.call<Lead>('GET', path)).body.attributes).toEqual({ a: 1, b: 2 });
  });

  test('is for changes of a lead only', async ({ api }) => {
    expectProblem(await api.call('POST', '/api/leads', newLead(), MERGE), 415, 'unsupported-media-type');
    const { body } = await api.call<Lead>('POST', '/api/leads', newLead());
    const enrichment = await api.call('PATCH', `/api/leads/${body.id}/enrichment`, { fields: {} }, MERGE);
    expectProblem(enrichment, 415, 'unsupported-media-type');
  });
});
