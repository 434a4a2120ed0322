import { Counter, Histogram } from 'prom-client';
import type { Metrics } from '../telemetry/metrics.ts';
import type { EnrichmentProvider } from './provider.ts';

/** Makes providers that measure what they are asked. Names of providers come from the configuration. */
export function measureLookups(metrics: Metrics): (provider: EnrichmentProvider) => EnrichmentProvider {
  const duration = new Histogram({
    name: 'lead_enrichment_lookup_duration_seconds',
    help: 'Time that a source took to answer, from memory or not',
    labelNames: ['provider', 'answer'],
    buckets: [0.001, 0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    registers: [metrics],
  });
  const refusals = new Counter({
    name: 'lead_enrichment_lookups_without_answer_total',
    help: 'Look-ups that ended without an answer, by reason',
    labelNames: ['provider', 'reason'],
    registers: [metrics],
  });
  return (provider) => ({
    ...provider,
    async lookUp(facts, context) {
      const { name } = provider;
      const startedAt = performance.now();
      const note = (answer: string, reason?: string) => {
        duration.observe({ provider: name, answer }, (performance.now() - startedAt) / 1_000);
        if (reason !== undefined) refusals.inc({ provider: name, reason });
      };
      try {
        const answer = await provider.lookUp(facts, context);
        note(answer.kind, 'reason' in answer ? answer.reason : undefined);
        return answer;
      } catch (err) {
        if (!context.signal.aborted) note('failed', 'failed');
        throw err;
      }
    },
  });
}
