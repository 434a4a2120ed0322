import { describe, expect } from 'vitest';
import { newLead, testWithoutStarts as test } from '../support/api.ts';
import { expectProblem } from '../support/problem.ts';
import { countRows } from '../support/rows.ts';

const nested = (levels: number): unknown => (levels === 0 ? 1 : { in: nested(levels - 1) });

/** Attributes of so many bytes as JSON. */
const attributesOf = (bytes: number) => ({ a: 'x'.repeat(bytes - '{"a":""}'.length) });

/** What is wrong, the body, the fields that the answer names. */
const REFUSED: [string, unknown, string[]][] = [
  ['a field that is not known', newLead({ nmae: 'typo' }), ['nmae']],
  ['several such fields', newLead({ id: 'x', score: 99 }), ['id', 'score']],
  ['a field named __proto__', '{"organizationId":"o","name":"n","__proto__":{}}', ['__proto__']],
  ['no name', newLead({ name: undefined }), ['name']],
  ['no organization and no name', {}, ['organizationId', 'name']],
  ['null as a name', newLead({ name: null }), ['name']],
  ['numbers for texts', newLead({ name: 5, email: 7, phone: 11987654321 }), ['name', 'email', 'phone']],
  [
    'a value of no enum',
    newLead({ status: 'new', source: 'TV', priority: 1, locale: 'pt' }),
    ['status', 'source', 'priority', 'locale'],
  ],
  ['null for an enum', newLead({ status: null }), ['status']],
  ['a name of blanks', newLead({ name: ' \t\n ' }), ['name']],
  ['a name of 201 characters', newLead({ name: 'x'.repeat(201) }), ['name']],
  ['an organization of blanks', newLead({ organizationId: ' ' }), ['organizationId']],
  ['an assignee of 201 characters', newLead({ assignedTo: 'x'.repeat(201) }), ['assignedTo']],
  ['a phone of 51 characters', newLead({ phone: '1'.repeat(51) }), ['phone']],
  ['a company of 201 characters', newLead({ company: 'x'.repeat(201) }), ['company']],
  ['NUL in the name', newLead({ name: 'João\0' }), ['name']],
  ['half a surrogate pair in the name', newLead({ name: 'João \ud800' }), ['name']],
  ['half a surrogate pair in the company', newLead({ company: '\udc00' }), ['company']],
  ['NUL in the organization', newLead({ organizationId: 'org\0' }), ['organizationId']],
  ['a name of nothing that one sees', newLead({ name: '\u200b\u202e\u0007' }), ['name']],
  [
    'ids in which something hides',
    newLead({ organizationId: 'org\u200b', assignedTo: 'user\u202e' }),
    ['organizationId', 'assignedTo'],
  ],
  ['NUL in an attribute', newLead({ attributes: { a: [{ b: '\0' }] } }), ['attributes']],
  ["NUL in an attribute's name", newLead({ attributes: { a: { 'b\0': 1 } } }), ['attributes']],
  ['half a surrogate pair in an attribute', newLead({ attributes: { a: '\ud800' } }), ['attributes']],
  ["half a surrogate pair in an attribute's name", newLead({ attributes: { '\ud800': 1 } }), ['attributes']],
  ['attributes 21 levels deep', newLead({ attributes: nested(21) }), ['attributes']],
  ['attributes of more than 64 KiB', newLead({ attributes: attributesOf(64 * 1024 + 1) }), ['attributes']],
  ['a number that no number can hold', '{"organizationId":"o","name":"n","attributes":{"a":1e999}}', ['attributes']],
  ['a list as attributes', newLead({ attributes: [] }), ['attributes']],
  ['text as attributes', newLead({ attributes: 'a=1' }), ['attributes']],
  ['null as attributes', newLead({ attributes: null }), ['attributes']],
  ['a list for a body', [newLead()], ['']],
  ['null for a body', 'null', ['']],
  ['a text for a body', '"lead"', ['']],
];

const NO_ADDRESSES = [
  'joao',
  'joao@',
  '@example.com',
  'joao@example',
  'a b@example.com',
  'joao@-example.com',
  'a@b@example.com',
  'joao@[127.0.0.1]',
  'joao@exa\u200bmple.com',
  `${'x'.repeat(65)}@example.com`,
];

describe('POST /api/leads refuses, names the field, and stores nothing:', () => {
  test.for(REFUSED)('%s', async ([, body, paths], { api, database }) => {
    const before = await countRows(database);
    const answer = await api.call('POST', '/api/leads', body, { 'idempotency-key': 'refused' });
    expectProblem(answer, 400, 'invalid-request', paths);
    expect(await countRows(database)).toEqual(before);
  });

  test('only what is more than 64 KiB of attributes, and says so', async ({ api }) => {
    const send = (bytes: number) => api.call('POST', '/api/leads', newLead({ attributes: attributesOf(bytes) }));
    expect((await send(64 * 1024)).status).toBe(201);
    const errors = [{ path: 'attributes', message: 'must have at most 65536 bytes as JSON' }];
    expect(await send(64 * 1024 + 1)).toMatchObject({ status: 400, body: { errors } });
  });

  test.for(NO_ADDRESSES)('%j as an e-mail', async (email, { api, database }) => {
    expectProblem(await api.call('POST', '/api/leads', newLead({ email })), 400, 'invalid-request', ['email']);
    expect(await database.prisma.lead.count({ where: { email } })).toBe(0);
  });
});

const ADDRESSES = ['JOAO+tag@Example.COM', "o'brien@example.co.uk", 'joão@exämple.com', 'josé.álvarez@例え.jp'];

describe('POST /api/leads takes, and answers as it was typed:', () => {
  test.for(ADDRESSES)('%j as an e-mail', async (email, { api }) => {
    const answer = await api.call('POST', '/api/leads', newLead({ email: ` ${email} ` }));
    expect(answer).toMatchObject({ status: 201, body: { email } });
  });

  test('attributes 20 levels deep', async ({ api }) => {
    const attributes = nested(20);
    expect(await api.call('POST', '/api/leads', newLead({ attributes }))).toMatchObject({
      status: 201,
      body: { attributes },
    });
  });
});
