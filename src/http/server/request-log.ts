import type { MiddlewareHandler } from 'hono';
import type { Logger } from '../../telemetry/logger.ts';
import type { HttpEnv } from '../context.ts';
import { routeOf } from './route-of.ts';

/** One line for each answer: the route's pattern, never the URL, which may carry what a person typed. */
export function logRequests(log: Logger): MiddlewareHandler<HttpEnv> {
  return async (c, next) => {
    const startedAt = performance.now();
    await next();
    const durationMs = Math.round((performance.now() - startedAt) * 10) / 10;
    const key = c.var.key ?? c.var.operator;
    const line = {
      requestId: c.get('requestId'),
      ...(key && { keyId: key.id }),
      method: c.req.method,
      route: routeOf(c),
      status: c.res.status,
      durationMs,
    };
    if (c.res.status >= 500) log.error(line, 'request answered');
    else log.debug(line, 'request answered');
  };
}
