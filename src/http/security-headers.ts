import type { MiddlewareHandler } from 'hono';
import { secureHeaders } from 'hono/secure-headers';

/** For whatever is not a page: a browser that is led to it loads and runs nothing, and no other page shows it. */
const NOTHING = ["'none'"];

/** Sets the security headers on every answer; a header that a route sets itself stays. */
export const setSecurityHeaders: MiddlewareHandler = secureHeaders({
  contentSecurityPolicy: { defaultSrc: NOTHING, frameAncestors: NOTHING },
  xFrameOptions: 'DENY',
  overwrite: false,
});

/** What the API answers is of this moment, and often about a person: nobody on the way keeps it. */
export const forbidCaching: MiddlewareHandler = (c, next) => {
  c.header('cache-control', 'no-store');
  return next();
};
