import { describe, expect } from 'vitest';
import { createTestApi, newLead, test as base, type TestApi } from '../support/api.ts';

const SITE = 'https://www.example.com';
const OTHER = 'http://localhost:5173';

const test = base.extend<{ open: TestApi }>({
  open: async ({ database }, use) => {
    const api = createTestApi(database, { slots: 0, corsOrigins: [SITE, OTHER] });
    await use(api);
    await api.close();
  },
});

const corsOf = (headers: Headers) => Object.fromEntries([...headers].filter(([name]) => name.startsWith('access-')));
const words = (text: string | null) => (text ?? '').toLowerCase().split(/, ?/).toSorted();

describe('a page of a site that is listed', () => {
  test.for([SITE, OTHER])('reads answers, and the headers that it needs: %s', async (origin, { open }) => {
    const { status, headers } = await open.call('POST', '/api/leads', newLead(), { origin });
    expect([status, headers.get('access-control-allow-origin'), headers.get('vary')]).toEqual([201, origin, 'Origin']);
    expect(headers.get('access-control-allow-credentials')).toBeNull();
    expect(words(headers.get('access-control-expose-headers'))).toEqual(
      expect.arrayContaining(['etag', 'location', 'ratelimit', 'ratelimit-policy', 'retry-after', 'x-request-id']),
    );
    expect(headers.get('content-security-policy')).not.toBeNull();
  });

  test('reads problems as well', async ({ open }) => {
    const { status, headers } = await open.call('POST', '/api/leads', {}, { origin: SITE });
    expect([status, headers.get('access-control-allow-origin')]).toEqual([400, SITE]);
  });

  test('may ask before it sends any request that the API has', async ({ open }) => {
    const { body } = await open.call<{
      paths: Record<string, Record<string, { parameters?: { in: string; name: string }[] }>>;
    }>('GET', '/openapi.json');
    for (const [path, methods] of Object.entries(body.paths)) {
      for (const [method, { parameters = [] }] of Object.entries(methods)) {
        const ours = parameters.filter((parameter) => parameter.in === 'header').map(({ name }) => name);
        const asked = ['content-type', 'authorization', 'if-match', 'x-actor-id', ...ours];
        const { status, headers } = await open.call('OPTIONS', path.replace(/\{\w+\}/, 'x'), undefined, {
          origin: SITE,
          'access-control-request-method': method.toUpperCase(),
          'access-control-request-headers': asked.join(','),
        });
        expect({ path, status, origin: headers.get('access-control-allow-origin') }).toEqual({
          path,
          status: 204,
          origin: SITE,
        });
        expect(words(headers.get('access-control-allow-methods')), path).toContain(method);
        expect(words(headers.get('access-control-allow-headers')), path).toEqual(expect.arrayContaining(asked));
        expect(headers.get('access-control-max-age')).toBe('3600');
      }
    }
  });
});

describe('any other page', () => {
  test.for(['https://evil.example', 'https://www.example.com.evil.example', 'http://www.example.com', 'null'])(
    'gets no leave: %s',
    async (origin, { open }) => {
      for (const method of ['GET', 'OPTIONS']) {
        const { headers } = await open.call(method, '/api/leads?organizationId=org-1', undefined, { origin });
        expect(headers.get('access-control-allow-origin')).toBeNull();
        expect(headers.get('vary')).toContain('Origin');
      }
    },
  );

  test('gets none at all when no site is listed', async ({ api }) => {
    const answer = await api.call('GET', '/api/leads?organizationId=org-1', undefined, { origin: SITE });
    expect([answer.status, corsOf(answer.headers)]).toEqual([403, {}]);
    const preflight = await api.call('OPTIONS', '/api/leads', undefined, { origin: SITE });
    expect([preflight.status, corsOf(preflight.headers)]).toEqual([403, {}]);
  });
});

describe('a caller that is no browser', () => {
  test('sees nothing of it, but that caches have to tell callers apart', async ({ open }) => {
    const { headers } = await open.call('GET', '/api/leads?organizationId=org-1');
    expect([corsOf(headers), headers.get('vary')]).toEqual([{}, 'Origin']);
  });
});
