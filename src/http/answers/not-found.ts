import type { Hono, MiddlewareHandler, NotFoundHandler } from 'hono';
import type { HttpEnv } from '../context.ts';
import { Problem } from './problem.ts';

/** 405 with `Allow` where the path is known, 404 elsewhere. */
export function refuseUnknown(app: Hono<HttpEnv>): NotFoundHandler<HttpEnv> {
  return (c) => {
    const allowed = methodsOf(app, (pattern) => matches(pattern, c.req.path));
    if (allowed.length > 0) return refuseMethod(allowed).toResponse(c);
    return new Problem(404, 'not-found', 'See /docs for the paths that there are.').toResponse(c);
  };
}

/**
 * Refuses the methods that a path does not have which is named in full, as `/api/leads/batch`: else they would be taken
 * by `/api/leads/{id}`, with `batch` for an id. For all routes that are added after it.
 */
export function refuseOtherMethods(app: Hono<HttpEnv>): MiddlewareHandler<HttpEnv> {
  const known = new Map<string, string[]>();
  return (c, next) => {
    if (known.size === 0) {
      for (const { path } of app.routes)
        known.set(
          path,
          methodsOf(app, (pattern) => pattern === path),
        );
    }
    const allowed = known.get(c.req.path) ?? [];
    if (allowed.length > 0 && !allowed.includes(c.req.method)) throw refuseMethod(allowed);
    return next();
  };
}

function refuseMethod(allowed: string[]): Problem {
  const allow = allowed.join(', ');
  return new Problem(405, 'method-not-allowed', `Use ${allow}.`, { headers: { allow } });
}

function methodsOf(app: Hono<HttpEnv>, isMeant: (pattern: string) => boolean): string[] {
  const methods = app.routes
    .filter(({ method, path }) => method !== 'ALL' && isMeant(path))
    .map(({ method }) => method);
  if (methods.includes('GET')) methods.push('HEAD'); // Hono answers it from the route of GET
  return [...new Set(methods)].sort();
}

function matches(pattern: string, path: string): boolean {
  const expected = pattern.split('/');
  const given = path.split('/');
  return (
    expected.length === given.length &&
    expected.every((part, i) => (part.startsWith(':') ? given[i] !== '' : part === given[i]))
  );
}
