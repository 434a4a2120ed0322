import type { Context } from 'hono';

const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);

/** A request's method, or `other`: what callers make up is no label. */
export const methodOf = (c: Context): string => (METHODS.has(c.req.method) ? c.req.method : 'other');
