import { EVENT_TYPES } from '../../src/events/event.ts';
import { describe, expect } from 'vitest';
import { test } from '../support/api.ts';

interface Operation {
  summary?: string;
  parameters?: { name: string; in: string; required?: boolean; schema: object }[];
  requestBody?: { content: Record<string, { schema: object }> };
  responses: Record<string, { description: string; headers?: object; content?: Record<string, { schema: object }> }>;
}

interface OpenApi {
  openapi: string;
  info: { title: string; version: string };
  paths: Record<string, Record<string, Operation>>;
  components: Record<'schemas' | 'headers' | 'parameters', Record<string, Record<string, unknown>>>;
}

const operationsOf = ({ paths }: OpenApi) =>
  Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({
      what: `${method.toUpperCase()} ${path}`,
      path,
      operation,
    })),
  );

const PROBLEM = ['application/problem+json'];
/** Answers that are no JSON. */
const OTHER_TYPES: Record<string, string[]> = {
  'GET /api/notifications/stream 200': ['text/event-stream'],
  'GET /api/events/stream 200': ['text/event-stream'],
  'GET /api/leads/{id} 304': [],
  'GET /forms/guard.js 200': ['text/javascript'],
  'POST /forms/leads 303': [],
  'GET /ops/audit 200': ['application/x-ndjson'],
  'GET /ops/retries/{id}/leads 200': ['application/x-ndjson'],
};

/** Every object within a JSON value. */
function objectsIn(value: unknown): Record<string, unknown>[] {
  if (typeof value !== 'object' || value === null) return [];
  const inner = Object.values(value).flatMap(objectsIn);
  return Array.isArray(value) ? inner : [value as Record<string, unknown>, ...inner];
}

describe('GET /openapi.json', () => {
  test('describes every route of the app', async ({ api }) => {
    const { status, body } = await api.call<OpenApi>('GET', '/openapi.json');
    expect(status).toBe(200);
    const routes = api.app.routes
      .filter(({ method, path }) => method !== 'ALL' && path !== '/openapi.json' && !path.startsWith('/docs'))
      .map(({ method, path }) => `${method} ${path.replaceAll(/:(\w+)/g, '{$1}')}`);
    expect(
      operationsOf(body)
        .map(({ what }) => what)
        .sort(),
    ).toEqual([...new Set(routes)].sort());
  });

  test('is OpenAPI 3.1 in itself: references lead somewhere, paths name their parameters, answers are described', async ({
    api,
  }) => {
    const { body } = await api.call<OpenApi>('GET', '/openapi.json');
    expect(body).toMatchObject({ openapi: '3.1.0', info: { title: 'Lead onboarding', version: '0.1.0' } });
    const known = Object.entries(body.components).flatMap(([kind, parts]) =>
      Object.keys(parts).map((name) => `#/components/${kind}/${name}`),
    );
    const references = objectsIn(body).flatMap(({ $ref }) => (typeof $ref === 'string' ? [$ref] : []));
    expect(references).not.toEqual([]);
    expect(references.filter((reference) => !known.includes(reference))).toEqual([]);
    expect(objectsIn(body).filter((schema) => 'nullable' in schema)).toEqual([]); // that was OpenAPI 3.0

    for (const { what, path, operation } of operationsOf(body)) {
      const inPath = (operation.parameters ?? []).filter((parameter) => parameter.in === 'path');
      const braces = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
      expect(
        inPath.map(({ name, required }) => ({ name, required })),
        what,
      ).toEqual(braces.map((name) => ({ name, required: true })));
      expect(operation.summary, what).toMatch(/./);
      for (const { description } of Object.values(operation.responses))
        expect(description, what).not.toMatch(/^(Problem)?$/);
    }
  });

  test('tells each route with its errors as problems', async ({ api }) => {
    const { body } = await api.call<OpenApi>('GET', '/openapi.json');
    const statuses = Object.fromEntries(
      operationsOf(body).map(({ what, operation }) => [what, Object.keys(operation.responses)]),
    );
    expect(statuses).toMatchObject({
      'POST /api/leads': [...'200 201 400 401 403 409 410 413 415 422 429 500 503'.split(' '), 'default'],
      'GET /api/leads/{id}': [...'200 304 400 401 403 404 429 500 503'.split(' '), 'default'],
      'PATCH /api/leads/{id}': [...'200 400 401 403 404 409 410 412 413 415 422 429 500 503'.split(' '), 'default'],
      'DELETE /api/leads/{id}': [...'202 204 400 401 403 404 409 422 429 500 503'.split(' '), 'default'],
      'GET /api/leads/{id}/export': [...'200 400 401 403 404 429 500 503'.split(' '), 'default'],
      'POST /api/leads/{id}/onboarding/retry': [...'202 400 401 403 404 409 410 422 429 500 503'.split(' '), 'default'],
      'POST /forms/leads': [...'201 303 400 403 409 413 415 429 500 503'.split(' '), 'default'],
      'GET /readyz': ['200', '500', '503', 'default'],
    });
    for (const { what, operation } of operationsOf(body)) {
      for (const [status, { content }] of Object.entries(operation.responses)) {
        const type = status < '400' ? (OTHER_TYPES[`${what} ${status}`] ?? ['application/json']) : PROBLEM;
        expect(Object.keys(content ?? {}), `${what} ${status}`).toEqual(status === '204' ? [] : type);
      }
    }
  });

  test('names each operation, says where the API is, and what is sent to webhook endpoints', async ({ api }) => {
    const { body } = await api.call<OpenApi & { servers: { url: string }[]; webhooks: object }>('GET', '/openapi.json');
    const ids = operationsOf(body).map(({ what, operation }) => [
      what,
      (operation as { operationId?: string }).operationId,
    ]);
    expect(ids.filter(([, id]) => !/^[a-z]+[A-Za-z]*$/.test(id ?? ''))).toEqual([]);
    expect(new Set(ids.map(([, id]) => id)).size).toBe(ids.length);
    expect(body.servers.map(({ url }) => url)).toContain('/');
    expect(Object.keys(body.webhooks)).toEqual([...EVENT_TYPES, 'webhook.test']);
  });

  test('tells where ETags come from and where they go', async ({ api }) => {
    const { body } = await api.call<OpenApi>('GET', '/openapi.json');
    const headersIn = (operation?: Operation) =>
      operation?.parameters
        ?.filter((parameter) => parameter.in === 'header' && parameter.name !== 'x-actor-id')
        .map(({ name }) => name);
    const { get, patch } = body.paths['/api/leads/{id}'] ?? {};
    expect([headersIn(get), headersIn(patch)]).toEqual([['if-none-match'], ['idempotency-key', 'if-match']]);
    const answers = [get?.responses['200'], get?.responses['304'], patch?.responses['200']];
    const intake = body.paths['/api/leads']?.['post']?.responses;
    for (const answer of [...answers, intake?.['200'], intake?.['201']])
      expect(Object.keys(answer?.headers ?? {})).toContain('etag');
  });

  test('tells what a lead is sent as', async ({ api }) => {
    const { body } = await api.call<OpenApi>('GET', '/openapi.json');
    expect(body.components.schemas['LeadSubmission']).toMatchObject({
      required: ['organizationId', 'name'],
      additionalProperties: false,
      properties: {
        name: { type: 'string', minLength: 1, maxLength: 200 },
        email: { type: ['string', 'null'], maxLength: 254, default: null },
        status: { enum: expect.arrayContaining(['NEW', 'LOST']) as string[], default: 'NEW' },
        attributes: { type: 'object', default: {} },
      },
    });
  });
});

describe('GET /docs', () => {
  test('is a page whose every part comes from here', async ({ api }) => {
    const page = await api.call<string>('GET', '/docs');
    expect(page.status).toBe(200);
    expect(page.headers.get('content-type')).toMatch(/^text\/html/);
    expect(page.text).not.toMatch(/https?:|\/\//i);
    const parts = [...page.text.matchAll(/(?:src|href)="([^"]+)"|url: '([^']+)'/g)].map(([, a, b]) => a ?? b ?? '');
    expect(parts.filter((part) => !part.startsWith('data:'))).toEqual([
      '/docs/swagger-ui.css',
      '/docs/swagger-ui-bundle.js',
      '/openapi.json',
    ]);
    for (const part of parts.filter((name) => name.startsWith('/'))) {
      const { status, headers, text } = await api.call<string>('GET', part);
      expect({ part, status }).toEqual({ part, status: 200 });
      expect(headers.get('content-type')).toMatch(part.endsWith('css') ? /css/ : /javascript|json/);
      expect(text.length).toBeGreaterThan(1_000);
    }
  });
});
