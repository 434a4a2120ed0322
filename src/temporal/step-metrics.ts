import { Histogram } from 'prom-client';
import type { Metrics } from '../telemetry/metrics.ts';

/** An attempt of an activity that is over. `failed` ones are tried again; one that `gave_up` is not. */
export interface StepEnd {
  step: string;
  outcome: 'completed' | 'failed' | 'gave_up' | 'canceled';
  /** From 1. */
  attempt: number;
  taskQueue: string;
  /** Who ran it, as Temporal knows the worker. */
  worker: string;
  runId: string;
  activityId: string;
  /** When it could have begun, by Temporal's clock; what lies between is the wait for a worker. */
  scheduledAt: Date;
  startedAt: Date;
  seconds: number;
  input: unknown;
  /** Of one that completed. */
  result?: unknown;
  /** Of any other, as Temporal is told. */
  failure?: { type: string; message: string } | undefined;
}

/** Measures attempts, and how many of them a step took. */
export function measureSteps(metrics: Metrics): (end: StepEnd) => void {
  const labelNames = ['step', 'outcome'];
  const duration = new Histogram({
    name: 'lead_step_duration_seconds',
    help: 'Duration of one attempt of a step',
    labelNames,
    buckets: [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30],
    registers: [metrics],
  });
  const attempts = new Histogram({
    name: 'lead_step_attempts',
    help: 'Attempts that a step took until it completed or gave up',
    labelNames,
    buckets: [1, 2, 3, 5, 10, 15, 25, 50],
    registers: [metrics],
  });
  return ({ step, outcome, attempt, seconds }) => {
    duration.observe({ step, outcome }, seconds);
    if (outcome !== 'failed') attempts.observe({ step, outcome }, attempt);
  };
}
