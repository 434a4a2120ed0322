import { describe, expect } from 'vitest';
import { newLead, testWithoutStarts as test } from '../support/api.ts';

const NOTHING = "default-src 'none'; frame-ancestors 'none'";

describe('every answer', () => {
  test.for([
    ['a lead', 'POST', '/api/leads', 201],
    ['a list', 'GET', '/api/leads?organizationId=org-1', 200],
    ['a refused query', 'GET', '/api/leads', 400],
    ['a path that there is not', 'GET', '/nowhere', 404],
    ['a method that there is not', 'DELETE', '/api/leads', 405],
    ['health', 'GET', '/healthz', 200],
    ['the OpenAPI document', 'GET', '/openapi.json', 200],
    ['the form script', 'GET', '/forms/guard.js', 200],
  ] as const)('keeps browsers from making something else of it: %s', async ([, method, path, status], { api }) => {
    const answer = await api.call(method, path, method === 'POST' ? newLead() : undefined);
    expect(answer.status).toBe(status);
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      'content-security-policy': NOTHING,
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
      'referrer-policy': 'no-referrer',
      'strict-transport-security': expect.stringMatching(/^max-age=\d{8}/) as string,
      'cross-origin-resource-policy': path === '/forms/guard.js' ? 'cross-origin' : 'same-origin',
    });
    expect(answer.headers.has('x-powered-by')).toBe(false);
    expect(answer.headers.get('cache-control')).toBe(/^\/(api|forms)/.test(path) ? 'no-store' : null);
  });

  test('says so too when something is wrong on our side', async ({ api, database }) => {
    await database.pool.query('ALTER VIEW lead_view RENAME TO elsewhere');
    const { status, headers } = await api.call('GET', '/api/leads?organizationId=org-1');
    await database.pool.query('ALTER VIEW elsewhere RENAME TO lead_view');
    expect([status, headers.get('content-security-policy'), headers.get('cache-control')]).toEqual([
      ...[500, NOTHING, 'no-store'],
    ]);
  });
});
