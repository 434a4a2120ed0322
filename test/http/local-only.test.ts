import { describe, expect } from 'vitest';
import { createTestApi, test } from '../support/api.ts';
import { makeKey, test as withKeys } from '../support/keyed-api.ts';
import { expectProblem } from '../support/problem.ts';

const LIST = '/api/leads?organizationId=org-123';
const RETRY = '/api/leads/01a20c47-3d57-709f-ab6c-49d8478329dc/onboarding/retry';

describe('without keys', () => {
  test.for([
    ['a name that resolves to this machine (DNS rebinding)', 'http://evil.example', {}],
    ['another address of this machine', 'http://192.0.2.7', {}],
    ['a page of another machine', 'http://localhost', { origin: 'https://evil.example' }],
    ['a page without an origin of its own', 'http://localhost', { origin: 'null' }],
  ] as const)('%s is refused, body or not', async ([, base, headers], { api, database }) => {
    for (const [method, path, body] of [
      ['GET', '/api/leads', undefined],
      ['POST', '/api/leads', { email: 'x@example.com' }],
      ['POST', RETRY, undefined],
    ] as const) {
      const answer = await api.call(method, `${base}${path}`, body, headers);
      expectProblem(answer, 403, 'forbidden');
      expect(answer.text).toContain('Without API keys');
    }
    expect(await database.prisma.lead.count({ where: { email: 'x@example.com' } })).toBe(0);
  });

  test.for(['http://localhost:3000', 'http://127.0.0.1:3000', 'http://[::1]:3000', 'http://app.localhost'])(
    '%s is served, and a page of it too',
    async (base, { api }) => {
      expect(await api.call('GET', `${base}${LIST}`, undefined, { origin: base })).toMatchObject({ status: 200 });
    },
  );

  test('a page that CORS_ORIGINS names is served', async ({ database }) => {
    const api = createTestApi(database, { corsOrigins: ['https://crm.example'] });
    const page = { origin: 'https://crm.example' };
    expect(await api.call('GET', LIST, undefined, page)).toMatchObject({ status: 200 });
    await api.close();
  });
});

withKeys('with keys any name and any page is served: who calls is known by the key', async ({ keyed, database }) => {
  const call = keyed.as(await makeKey(database));
  const page = { origin: 'https://any.example' };
  expect(await call('GET', 'http://leads.example/api/leads', undefined, page)).toMatchObject({ status: 200 });
});
