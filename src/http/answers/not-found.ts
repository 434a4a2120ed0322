import type { Hono, NotFoundHandler } from 'hono';
import type { HttpEnv } from '../context.ts';
import { Problem } from './problem.ts';

/** 405 with `Allow` where the path is known, 404 elsewhere. */
export function refuseUnknown(app: Hono<HttpEnv>): NotFoundHandler<HttpEnv> {
  return (c) => {
    const allowed = methodsOf(app, c.req.path);
    if (allowed.length === 0) {
      return new Problem(404, 'not-found', 'See /docs for the paths that there are.').toResponse(c);
    }
    const allow = allowed.join(', ');
    return new Problem(405, 'method-not-allowed', `Use ${allow}.`, { headers: { allow } }).toResponse(c);
  };
}

function methodsOf(app: Hono<HttpEnv>, path: string): string[] {
  const methods = app.routes
    .filter((route) => route.method !== 'ALL' && matches(route.path, path))
    .map((route) => route.method);
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
