import type { Context } from 'hono';
import { matchedRoutes } from 'hono/route';
import type { HttpEnv } from '../context.ts';

/**
 * The pattern of the route that a request is for, as `/api/leads/:id`: of those that match, the first that is not for
 * many, since it answers. `/*` where there is none.
 */
export function routeOf(c: Context<HttpEnv>): string {
  const routes = matchedRoutes(c);
  return (routes.find(({ path }) => !path.includes('*')) ?? routes.at(-1))?.path ?? '';
}
