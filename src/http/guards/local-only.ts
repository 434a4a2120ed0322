import type { MiddlewareHandler } from 'hono';
import { isLoopbackName } from '../../safe-fetch/loopback.ts';
import type { HttpEnv } from '../context.ts';
import { Problem } from '../answers/problem.ts';

/**
 * For an API without keys: whoever reaches it may do everything, and a browser on this machine reaches it for any page
 * that it shows. So the name that was called must be one of this machine (a foreign name that resolves to it is DNS
 * rebinding), and a page that calls must be of this machine or of `origins`.
 */
export function refuseForeignPages(origins: readonly string[]): MiddlewareHandler<HttpEnv> {
  return (c, next) => {
    const host = new URL(c.req.url).hostname;
    if (!isLoopbackName(host)) {
      throw forbidden(`Without API keys only names of this machine are served, as in http://localhost, not ${host}.`);
    }
    const origin = c.req.header('origin');
    if (origin !== undefined && !origins.includes(origin) && !isLocalOrigin(origin)) {
      throw forbidden('Without API keys pages of other machines are refused: name the origin in CORS_ORIGINS.');
    }
    return next();
  };
}

const isLocalOrigin = (origin: string) => URL.canParse(origin) && isLoopbackName(new URL(origin).hostname);

const forbidden = (detail: string) => new Problem(403, 'forbidden', detail);
