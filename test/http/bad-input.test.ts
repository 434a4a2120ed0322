import { describe, expect } from 'vitest';
import { newLead, testWithoutStarts as test } from '../support/api.ts';
import type { TestDatabase } from '../support/database.ts';
import { cpuMs } from '../support/cpu.ts';
import { expectProblem } from '../support/problem.ts';
import { countRows } from '../support/rows.ts';

/** Of one request, on a machine that does other things as well: the best of some tries counts. */
const REFUSAL_CPU_MS = 50;

const MIB = 1024 * 1024;
const lead = (fields: string) => `{"organizationId":"org-1","name":"Ana",${fields}}`;
const nested = (depth: number) => '{"a":'.repeat(depth) + '1' + '}'.repeat(depth);
const filled = (part: string) => part.repeat(Math.floor((MIB - 200) / part.length));

/** Bodies of `POST /api/leads`, and of what else takes the same fields. */
const BODIES: Record<string, string> = {
  'NUL in a name': lead('"company":"a\\u0000b"'),
  'half a surrogate pair': lead('"company":"a\\ud800b"'),
  'half a surrogate pair in a key of attributes': lead('"attributes":{"\\udfff":1}'),
  'a name of 10 kB': JSON.stringify(newLead({ name: 'x'.repeat(10_000) })),
  'an e-mail of 10 kB': JSON.stringify(newLead({ email: `${'a'.repeat(10_000)}@example.com` })),
  'a phone of 10 kB of digits': JSON.stringify(newLead({ phone: '9'.repeat(10_000) })),
  'a name of 60,000 spaces': JSON.stringify(newLead({ name: ' '.repeat(60_000) })),
  'an organization with 60,000 spaces in it': JSON.stringify(newLead({ organizationId: `a${' '.repeat(60_000)}a` })),
  'a name of spaces only': JSON.stringify(newLead({ name: ' \u00a0\u2003' })),
  'a number for a name': lead('"company":12'),
  'a number past all numbers': lead('"attributes":{"a":1e999}'),
  'a date for a status': lead('"status":"2026-02-30T25:61:00Z"'),
  'a list for an object': lead('"attributes":[1]'),
  '10,000 levels of attributes': lead(`"attributes":${nested(10_000)}`),
  '10,000 levels of lists': `${'['.repeat(10_000)}${']'.repeat(10_000)}`,
  '170,000 levels': nested(170_000),
  'a name given twice': lead('"name":"Eva"'),
  'a name given twice, once with an escape': lead('"n\\u0061me":"Eva"'),
  'a name given twice within attributes': lead('"attributes":{"list":[{"a":1,"b":{},"a":2}]}'),
  '1 MiB of empty objects': lead(`"attributes":{"a":[${filled('{},')}{}]},"x":1`),
  '1 MiB of members': lead(`"attributes":{${filled('"a":1,')}"a":1}`),
  '1 MiB of an open text': `{"name":"${filled('\\"')}`,
  '1 MiB of quotes': filled('"'),
  'a field that is not known': lead('"__proto__":{"admin":true}'),
};

const readLead = (database: TestDatabase) => database.prisma.lead.findFirstOrThrow({ orderBy: { id: 'asc' } });

describe.for(Object.entries(BODIES))('%s', ([, body]) => {
  test.for([
    ['POST', '/api/leads'],
    ['PATCH', '/api/leads/{id}'],
    ['POST', '/api/keys'],
    ['POST', '/forms/leads'],
  ] as const)('is refused at once by %s %s, and changes nothing', async ([method, path], { api, database }) => {
    await api.call('POST', '/api/leads', newLead());
    const { id } = await readLead(database);
    const before = [await countRows(database), await readLead(database)];
    const call = () => api.call(method, path.replace('{id}', id), body);
    const answer = await call();
    const tooLarge = answer.status === 413 && path === '/forms/leads';
    const code = tooLarge ? 'body-too-large' : (answer.body as { type: string }).type.split(':').at(-1);
    expect(['invalid-request', 'malformed-body', 'body-too-large']).toContain(code);
    expect(answer.status).toBe(tooLarge ? 413 : 400);
    expect(answer.headers.get('content-type')).toBe('application/problem+json');
    if (body.length < MIB / 2) expect(await cpuMs(call)).toBeLessThan(REFUSAL_CPU_MS);
    expect([await countRows(database), await readLead(database)]).toEqual(before);
  });
});

describe('in an address', () => {
  test.for([
    '/api/leads?organizationId=org-1&q=%00',
    '/api/leads?organizationId=org-1&q=%ED%A0%80',
    `/api/leads?organizationId=org-1&q=${'x'.repeat(5_000)}`,
    '/api/leads?organizationId=org-1&q=100%',
    '/api/leads?organizationId=org-1&limit=1e2',
    '/api/leads?organizationId=org-1&limit=99999999999999999999',
    '/api/leads?organizationId=org-1&limit=10&limit=20',
    '/api/leads?organizationId=org-1&cursor=2026-13-45T99:99:99Z',
    '/api/leads?organizationId=org-1&status=new',
    '/api/leads?organizationId=org-1&unknown=1',
    '/api/leads/%00',
    '/api/leads/00000000-0000-0000-0000-00000000000g',
    '/api/leads/01a20ab0-4757-752c-a5f9-81f88a505caa/timeline?limit=0',
    '/api/notifications?organizationId=org-1&userId=%EF%BF%BE&unread=maybe',
  ])('%s is refused with 400', async (path, { api }) => {
    expect((await api.call('GET', path)).status).toBe(400);
    expect(await cpuMs(() => api.call('GET', path))).toBeLessThan(REFUSAL_CPU_MS);
  });
});

test('the name that is sent twice is told, wherever it stands', async ({ api }) => {
  const answer = await api.call('POST', '/api/leads', BODIES['a name given twice within attributes'] ?? '');
  expect(answer.body).toMatchObject({ status: 400, errors: [{ path: 'a', message: 'must be sent once' }] });
});

test('names that are alike in different objects, or only look like names, are none that repeat', async ({ api }) => {
  const attributes = { a: { a: [{ a: 1 }, { a: 2 }] }, text: '"a":1,"a":2', 'a"': 1, 'a\\': 2, colon: ':' };
  const answer = await api.call('POST', '/api/leads', newLead({ attributes }));
  expect(answer).toMatchObject({ status: 201, body: { attributes } });
});

test('a wrong content type is refused before the body is looked at', async ({ api }) => {
  for (const type of ['text/plain', 'application/xml', 'multipart/form-data; boundary=x', 'nonsense']) {
    const call = () => api.call('POST', '/api/leads', filled('x'), { 'content-type': type });
    expectProblem(await call(), 415, 'unsupported-media-type');
    expect(await cpuMs(call)).toBeLessThan(REFUSAL_CPU_MS);
  }
});
