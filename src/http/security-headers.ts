import type { MiddlewareHandler } from 'hono';
import { secureHeaders } from 'hono/secure-headers';

const NOTHING = ["'none'"];

/**
 * Sets the security headers on every answer; a header that a route sets itself stays. Unless a route is a page, a
 * browser that is led to it loads and runs nothing, and no other page shows it.
 */
export const setSecurityHeaders: MiddlewareHandler = secureHeaders({
  contentSecurityPolicy: { defaultSrc: NOTHING, frameAncestors: NOTHING },
  xFrameOptions: 'DENY',
  overwrite: false,
  // For browsers and plug-ins that are gone, or without effect on what is no page:
  originAgentCluster: false,
  xDnsPrefetchControl: false,
  xDownloadOptions: false,
  xPermittedCrossDomainPolicies: false,
  xXssProtection: false,
});

/** What the API answers is of this moment, and often about a person: nobody on the way keeps it. */
export const forbidCaching: MiddlewareHandler = (c, next) => {
  c.header('cache-control', 'no-store');
  return next();
};
