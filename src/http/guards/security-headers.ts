import type { MiddlewareHandler } from 'hono';

/**
 * On every answer; a header that a route sets itself stays. Unless a route is a page, a browser that is led to it loads
 * and runs nothing, and no other page shows it (https://cheatsheetseries.owasp.org/cheatsheets/REST_Security_Cheat_Sheet.html).
 */
const HEADERS = Object.entries({
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'strict-transport-security': 'max-age=15552000; includeSubDomains', // without effect but over TLS
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
});

/** Sets the security headers, before the answer is made: afterwards each would have to be looked for. */
export const setSecurityHeaders: MiddlewareHandler = (c, next) => {
  for (const [name, value] of HEADERS) c.header(name, value);
  return next();
};

/** What the API answers is of this moment, and often about a person: nobody on the way keeps it. */
export const forbidCaching: MiddlewareHandler = (c, next) => {
  c.header('cache-control', 'no-store');
  return next();
};
