import type { Pool } from 'pg';
import type { TaskQueue } from '../../workflows/contract.ts';
import { openDatabase } from '../db/open.ts';
import { type AttemptLedger, openAttemptLedger } from '../onboarding/attempts/ledger.ts';
import { measureOnboardings } from '../onboarding/onboarding-metrics.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { measureSteps, type StepEnd } from '../temporal/step-metrics.ts';
import { isWorkflowQueue } from '../temporal/task-queue-type.ts';
import type { ProcessContext } from './run-process.ts';

/** What a process measures with; absent where no metrics are served. */
export interface Measures {
  metrics: Metrics | undefined;
  measurePool: ((pool: Pool) => unknown) | undefined;
}

/** What is told of each attempt that is over: metrics, where they are served, and the ledger of attempts. */
export function observeSteps(context: ProcessContext, taskQueues: TaskQueue[], measures: Measures) {
  const { metrics } = measures;
  const observers: ((end: StepEnd) => void)[] = metrics ? [measureSteps(metrics), measureOnboardings(metrics)] : [];
  const hasActivities = taskQueues.some((taskQueue) => !isWorkflowQueue(taskQueue));
  if (hasActivities && context.env.ATTEMPT_LEDGER === 'on') {
    const ledger = openLedger(context, measures);
    observers.push((end) => ledger.note(end));
  }
  return (end: StepEnd) => {
    for (const observe of observers) observe(end);
  };
}

/** Has a connection of its own: no step waits for it. */
function openLedger({ env, log, closers }: ProcessContext, { metrics, measurePool }: Measures): AttemptLedger {
  const { pool, close } = openDatabase(env, { name: 'worker:attempts', connections: 1, log });
  closers.add('database of attempts', close);
  measurePool?.(pool);
  const ledger = openAttemptLedger({ pool, log, metrics });
  closers.add('attempts', () => ledger.close());
  return ledger;
}
