import { collectDefaultMetrics, Registry } from 'prom-client';

/** What a process counts and measures. Labels have few values: no ids, no organizations, nothing that a caller types. */
export type Metrics = Registry;

/** Metrics of this process, with those of Node itself. */
export function createMetrics(): Metrics {
  const metrics = new Registry();
  collectDefaultMetrics({ register: metrics });
  return metrics;
}
