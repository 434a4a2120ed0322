import type { Context, MiddlewareHandler } from 'hono';
import { type ApiScope, FORM_SCOPE } from '../../api-keys/scopes.ts';
import type { HttpEnv } from '../context.ts';
import { Problem } from '../answers/problem.ts';

/** The name of the security scheme in the OpenAPI document. */
export const API_KEY = 'apiKey';

/** What a route asks of a key, for its definition: told in the document, and checked before anything else of the request. */
export const needs = (scope: ApiScope) => ({ security: [{ [API_KEY]: [scope] }], middleware: requireScope(scope) });

/** The name of the security scheme of stream tokens. */
export const STREAM_KEY = 'streamToken';
/** Where a stream token stands in the query. */
export const STREAM_TOKEN = 'token';
/** What stream tokens open, and nothing else. */
export const STREAM_PATHS: ReadonlySet<string> = new Set(['/api/events/stream', '/api/notifications/stream']);

/** The same for a stream, which a token opens as well: https://html.spec.whatwg.org/multipage/server-sent-events.html sends no header. */
export const needsForStream = (scope: ApiScope) => ({
  ...needs(scope),
  security: [{ [API_KEY]: [scope] }, { [STREAM_KEY]: [] as string[] }],
});

/** The name of the security scheme of operators' keys. */
export const OPERATOR_KEY = 'operatorKey';

/** Of a route under `/ops`: whatever comes there has shown an operator's key, whose one scope is `ops`. */
export const forOperators = { security: [{ [OPERATOR_KEY]: ['ops'] }] };

function requireScope(scope: ApiScope): MiddlewareHandler<HttpEnv> {
  return (c, next) => {
    checkScope(c, scope);
    return next();
  };
}

/** Says whether the key of a request has a scope: every key does where the API works without. */
export const mayUse = (c: Context<HttpEnv>, scope: ApiScope): boolean => c.var.key?.scopes.includes(scope) ?? true;

/** @throws Problem 403 when the key lacks a scope */
export function checkScope(c: Context<HttpEnv>, scope: ApiScope): void {
  if (mayUse(c, scope)) return;
  const challenge = `Bearer error="insufficient_scope", scope="${scope}"`;
  throw new Problem(403, 'forbidden', `Use a key with the scope ${scope}: this one lacks it.`, {
    headers: { 'www-authenticate': challenge },
  });
}

/** For a route that any key may use but one that stands in a public page. */
export const needsKey = { security: [{ [API_KEY]: [] as string[] }], middleware: refuseFormKeys() };

function refuseFormKeys(): MiddlewareHandler<HttpEnv> {
  return (c, next) => {
    if (c.var.key?.scopes.every((scope) => scope === FORM_SCOPE) !== true) return next();
    throw new Problem(403, 'forbidden', 'This key is for web forms, and for nothing else: use another one.');
  };
}

/** The user that a request names. @throws Problem 403 when a stream token is for the inbox of another one */
export function ownUser(c: Context<HttpEnv>, named: string): string {
  const userId = c.var.key?.userId;
  if (typeof userId !== 'string' || userId === named) return named;
  throw new Problem(403, 'forbidden', 'This stream token is for another user: ask for one for the user that you name.');
}

/**
 * The organization that a request is about: the key's own. The request may leave it out, unless there are no keys.
 * @param named by the query or the body
 */
export function organizationOf(c: Context<HttpEnv>, named: string | undefined): string {
  const organizationId = c.var.key?.organizationId ?? named;
  if (organizationId === undefined) {
    const errors = [{ path: 'organizationId', message: 'is required while the API works without keys' }];
    throw new Problem(400, 'invalid-request', 'Correct the request: see errors.', { errors });
  }
  if (named !== undefined && named !== organizationId) {
    throw new Problem(
      403,
      'forbidden',
      'This key is of another organization: use one of the organization that you name.',
    );
  }
  return organizationId;
}
