import type { Hono, MiddlewareHandler } from 'hono';
import { authenticate, authenticateOperator } from './authentication.ts';
import type { AppDependencies, HttpEnv } from '../context.ts';
import { allowOrigins } from './cors.ts';
import { type CountRequest, requestCounter } from './rate-limit.ts';
import { refuseForeignPages } from './local-only.ts';
import { limitRequestHead } from '../request/head.ts';
import { forbidCaching, setSecurityHeaders } from './security-headers.ts';

/** What callers use. Health, metrics and documentation are not counted, and may be kept by whoever likes. */
const FOR_CALLERS = ['/api/*', '/forms/*', '/ops/*'];

/**
 * Guards all routes that are added after it. Who has shown a good key is counted by it, operators
 * not at all: they have connections of their own. Everybody else is counted by address, those too whose key is refused.
 */
export function protect(app: Hono<HttpEnv>, deps: AppDependencies): void {
  const { corsOrigins, keyring, rateLimiter, trustedProxies } = deps;
  app.use(setSecurityHeaders);
  if (corsOrigins.length > 0) app.use(allowOrigins(corsOrigins));
  app.use(limitRequestHead);
  for (const path of FOR_CALLERS) app.use(path, forbidCaching);

  const count = rateLimiter === 'off' ? () => undefined : requestCounter(rateLimiter, trustedProxies);
  if (keyring === 'off') for (const path of ['/api/*', '/ops/*']) app.use(path, refuseForeignPages(corsOrigins));
  app.use('/api/*', authenticate(deps, count));
  app.use('/ops/*', authenticateOperator(deps, count));
  for (const path of FOR_CALLERS) app.use(path, countFirst(count));
}

const countFirst =
  (count: CountRequest): MiddlewareHandler<HttpEnv> =>
  (c, next) => {
    if (!c.var.operator) count(c);
    c.set('countMore', (requests) => {
      if (requests > 0) count(c, requests);
    });
    return next();
  };
