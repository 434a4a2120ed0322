import type { MiddlewareHandler } from 'hono';
import { cors } from 'hono/cors';

const ONE_HOUR_S = 3_600;

/** Lets pages of these origins use the API. Without credentials: a caller is known by what it sends, not by cookies. */
export function allowOrigins(origins: readonly string[]): MiddlewareHandler {
  const allow = cors({ origin: [...origins], allowMethods, allowHeaders, exposeHeaders, maxAge: ONE_HOUR_S });
  return (c, next) => {
    if (c.req.header('origin') !== undefined) return allow(c, next);
    c.header('vary', 'Origin'); // all that it does for callers that are no browser, at a tenth of the cost
    return next();
  };
}

const allowMethods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'];
const allowHeaders = [
  'Authorization',
  'Content-Type',
  'Idempotency-Key',
  'If-Match',
  'If-None-Match',
  'Last-Event-ID',
  'X-Actor-Id',
  'X-Request-Id',
];
const exposeHeaders = ['Allow', 'ETag', 'Location', 'RateLimit', 'RateLimit-Policy', 'Retry-After', 'X-Request-Id'];
