import type { Hono } from 'hono';
import type { AppDependencies, HttpEnv } from './context.ts';
import { allowOrigins } from './cors.ts';
import { callerIdentifier, limitRate } from './rate-limit.ts';
import { limitRequestHead } from './request-head.ts';
import { forbidCaching, setSecurityHeaders } from './security-headers.ts';

/** What callers use. Health, metrics and documentation are not counted, and may be kept by whoever likes. */
const FOR_CALLERS = ['/api/*', '/forms/*'];

/** Guards all routes that are added after it. */
export function protect(app: Hono<HttpEnv>, { corsOrigins }: AppDependencies): void {
  app.use(setSecurityHeaders);
  if (corsOrigins.length > 0) app.use(allowOrigins(corsOrigins));
  app.use(limitRequestHead);
  for (const path of FOR_CALLERS) app.use(path, forbidCaching);
}

/** Limits how often a caller may ask. It has to know who calls, and comes before all that costs something. */
export function limitRates(app: Hono<HttpEnv>, { rateLimiter, trustedProxies }: AppDependencies): void {
  if (rateLimiter === 'off') return;
  const limit = limitRate(rateLimiter, callerIdentifier(trustedProxies));
  for (const path of FOR_CALLERS) app.use(path, limit);
}
