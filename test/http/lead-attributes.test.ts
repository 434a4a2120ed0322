import fc from 'fast-check';
import { describe, expect } from 'vitest';
import type { Lead } from '../../src/leads/lead.ts';
import { newLead, testWithoutStarts as test } from '../support/api.ts';

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
