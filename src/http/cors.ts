import type { MiddlewareHandler } from 'hono';
import { cors } from 'hono/cors';

const ONE_HOUR_S = 3_600;

/** Lets pages of these origins use the API. Without credentials: a caller is known by what it sends, not by cookies. */
export const allowOrigins = (origins: readonly string[]): MiddlewareHandler =>
  cors({
    origin: [...origins],
    allowMethods: ['GET', 'HEAD', 'POST', 'PATCH', 'DELETE'],
    allowHeaders: [
      'Authorization',
      'Content-Type',
      'Idempotency-Key',
      'If-Match',
      'Last-Event-ID',
      'X-Actor-Id',
      'X-Request-Id',
    ],
    exposeHeaders: ['Allow', 'ETag', 'Location', 'RateLimit', 'RateLimit-Policy', 'Retry-After', 'X-Request-Id'],
    maxAge: ONE_HOUR_S,
  });
