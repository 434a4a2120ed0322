import { Counter } from 'prom-client';
import type { Metrics } from '../telemetry/metrics.ts';
import { emptyTally, type Tally, type Verdict } from './verdicts.ts';

/** Counts what became of runs that stood still. */
export function countVerdicts(metrics: Metrics): (tally: Tally) => void {
  const verdicts = new Counter({
    name: 'lead_reconciler_verdicts_total',
    help: 'What became of runs that stood still',
    labelNames: ['verdict'],
    registers: [metrics],
  });
  const count = (tally: Tally) => {
    for (const [verdict, times] of Object.entries(tally) as [Verdict, number][]) {
      verdicts.inc({ verdict: verdict.replaceAll(' ', '_') }, times);
    }
  };
  count(emptyTally());
  return count;
}
