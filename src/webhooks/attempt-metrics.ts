import { Histogram } from 'prom-client';
import type { Metrics } from '../telemetry/metrics.ts';
import { isTaken, type Outcome } from './send.ts';

/** Measures what endpoints answer, of all together: which one it is stands in Postgres. */
export function measureAttempts(metrics: Metrics): (outcome: Outcome) => void {
  const duration = new Histogram({
    name: 'lead_webhook_attempt_duration_seconds',
    help: 'Time of an attempt to tell an endpoint of an event, by what came of it',
    labelNames: ['outcome'],
    buckets: [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    registers: [metrics],
  });
  for (const outcome of ['taken', 'refused', 'unanswered']) duration.zero({ outcome });
  return (outcome) => {
    const what = isTaken(outcome) ? 'taken' : outcome.status === null ? 'unanswered' : 'refused';
    duration.observe({ outcome: what }, outcome.durationMs / 1_000);
  };
}
