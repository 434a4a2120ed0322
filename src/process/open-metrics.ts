import { createMetrics, type Metrics } from '../telemetry/metrics.ts';
import { type Page, type Pages, serveMetrics } from './metrics-server.ts';
import type { ProcessContext } from './run-process.ts';

/** Temporal's SDK is on this machine, and has its figures at hand. */
const SDK_WITHIN_MS = 2_000;

export interface MetricsOptions {
  /** Where the SDK of a worker serves its own, to be given out with ours. */
  sdkUrl?: string | undefined;
  /** What else is served on the port. */
  pages?: Pages;
}

/**
 * Serves the metrics of a process on its `METRICS_PORT`.
 * @returns where to register them; undefined without the port: then nothing is measured
 */
export async function openMetrics(
  { env, log, closers }: Pick<ProcessContext, 'env' | 'log' | 'closers'>,
  { sdkUrl, pages = {} }: MetricsOptions = {},
): Promise<Metrics | undefined> {
  if (env.METRICS_PORT === undefined) return undefined;
  const metrics = createMetrics();
  const all = { ...pages, '/metrics': () => metricsPage(metrics, sdkUrl) };
  closers.add('metrics', await serveMetrics({ port: env.METRICS_PORT, host: env.HOST, log }, all));
  return metrics;
}

async function metricsPage(metrics: Metrics, sdkUrl: string | undefined): Promise<Page> {
  const own = await metrics.metrics();
  const answer = sdkUrl === undefined ? undefined : await fetch(sdkUrl, { signal: AbortSignal.timeout(SDK_WITHIN_MS) });
  return { status: 200, contentType: metrics.contentType, text: own + ((await answer?.text()) ?? '') };
}
