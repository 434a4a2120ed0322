import type { MiddlewareHandler } from 'hono';
import { Histogram } from 'prom-client';
import type { Metrics } from '../../telemetry/metrics.ts';
import type { HttpEnv } from '../context.ts';
import { methodOf } from './method.ts';
import { routeOf } from './route-of.ts';

/** Measures each request until its answer begins, by the route's pattern: a path that nobody serves is no route of its own. */
export function measureRequests(metrics: Metrics): MiddlewareHandler<HttpEnv> {
  const duration = new Histogram({
    name: 'lead_http_request_duration_seconds',
    help: 'Time until the answer to a request begins',
    labelNames: ['method', 'route', 'status'],
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5],
    registers: [metrics],
  });
  return async (c, next) => {
    const startedAt = performance.now();
    await next();
    const labels = { method: methodOf(c), route: routeOf(c), status: c.res.status };
    duration.observe(labels, (performance.now() - startedAt) / 1_000);
  };
}
