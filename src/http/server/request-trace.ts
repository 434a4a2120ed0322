import type { MiddlewareHandler } from 'hono';
import { withRequestSpan } from '../../telemetry/tracing.ts';
import type { HttpEnv } from '../context.ts';
import { methodOf } from './method.ts';
import { routeOf } from './route-of.ts';

const PROBES = new Set(['/healthz', '/readyz']);

/** A span of each request until its answer begins, by the route's pattern: never the URL, nor who asks. */
export const traceRequests: MiddlewareHandler<HttpEnv> = (c, next) => {
  if (PROBES.has(c.req.path)) return next();
  const method = methodOf(c);
  return withRequestSpan(c.get('requestId'), method, c.req.header('traceparent'), async (span) => {
    await next();
    const [route, status] = [routeOf(c), c.res.status];
    span
      ?.updateName(`${method} ${route}`)
      .setAttributes({ 'http.request.method': method, 'http.route': route, 'http.response.status_code': status });
    if (status >= 500) span?.setStatus({ code: 2 });
  });
};
