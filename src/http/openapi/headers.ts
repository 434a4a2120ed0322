import type { OpenAPIHono } from '@hono/zod-openapi';

type Document = ReturnType<OpenAPIHono['getOpenAPI31Document']>;
interface Operation {
  parameters?: object[];
  responses: Record<string, { headers?: Record<string, object> }>;
}

const text = (description: string, example: string, more: object = {}) => ({
  description,
  schema: { type: 'string', ...more },
  example,
});

const HEADERS = {
  'x-request-id': text('Names the request in our logs and on the timeline', '01a20ab0-4755-7bbb-8a33-6b3f4f7c1d2e'),
  ratelimit: text(
    'Requests that are left, and seconds until the count begins anew; unless `RATE_LIMIT` is off',
    '"default";r=599;t=60',
  ),
  'ratelimit-policy': text(
    'Requests that are allowed in so many seconds; unless `RATE_LIMIT` is off',
    '"default";q=600;w=60',
  ),
  'www-authenticate': text('What a key lacks', 'Bearer error="invalid_token"'),
};
type HeaderName = keyof typeof HEADERS;

const PARAMETERS = {
  'x-request-id': {
    name: 'x-request-id',
    in: 'header',
    ...text(
      'A request id of your own: at most 64 of A-Z, a-z, 0-9, -, _ and =; any other is replaced',
      '4bf92f3577b34da6',
    ),
  },
  'x-actor-id': {
    name: 'x-actor-id',
    in: 'header',
    ...text('The user who does this, for the audit', 'user-456', { minLength: 1, maxLength: 200 }),
  },
};

/** Adds to a document the headers that middleware reads and sets, which no route names. */
export function describeHeaders(document: Document): Document {
  for (const [path, methods] of Object.entries(document.paths ?? {})) {
    for (const [method, operation] of Object.entries(methods as Record<string, Operation>)) {
      operation.parameters = [...(operation.parameters ?? []), ...parametersOf(path, method)];
      for (const [status, response] of Object.entries(operation.responses)) {
        const named = headersOf(path, status).map((name) => [name, { $ref: `#/components/headers/${name}` }]);
        response.headers = { ...response.headers, ...(Object.fromEntries(named) as Record<string, object>) };
      }
    }
  }
  document.components = { ...document.components, headers: HEADERS as never, parameters: parametersById as never };
  return document;
}

const parametersById = Object.fromEntries(Object.values(PARAMETERS).map((parameter) => [parameter.name, parameter]));
const reference = (name: keyof typeof PARAMETERS) => ({ $ref: `#/components/parameters/${name}` });

/** Where a key is needed. */
const KEYED = /^\/(api|ops)\//;
/** They change nothing but what somebody has read in their own inbox, or nothing at all. */
const NOT_AUDITED = /^\/api\/notifications\/|\/dry-run$|\/stream\/token$/;

function parametersOf(path: string, method: string): object[] {
  const isAudited = KEYED.test(path) && method !== 'get' && !NOT_AUDITED.test(path);
  return [reference('x-request-id'), ...(isAudited ? [reference('x-actor-id')] : [])];
}

function headersOf(path: string, status: string): HeaderName[] {
  const isForCallers = KEYED.test(path) || path.startsWith('/forms/');
  const names: HeaderName[] = ['x-request-id'];
  if (isForCallers && status !== 'default') names.push('ratelimit', 'ratelimit-policy');
  if (KEYED.test(path) && (status === '401' || status === '403')) names.push('www-authenticate');
  return names;
}
