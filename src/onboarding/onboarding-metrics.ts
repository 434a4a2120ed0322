import { Counter, Histogram } from 'prom-client';
import type {
  CloseResult,
  EnrichResult,
  NotifyResult,
  OnboardingRef,
  OnboardingState,
  ScoreResult,
} from '../../workflows/contract.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { StepEnd } from '../temporal/step-metrics.ts';

type Milestone = 'notified' | 'enriched' | 'scored';

/**
 * Measures how long after a lead was taken in it is notified, enriched and scored, and counts how onboardings end. A
 * lead's id has the moment of its acceptance (UUID v7, RFC 9562), by the clock of the API.
 */
export function measureOnboardings(metrics: Metrics): (end: StepEnd) => void {
  const latency = new Histogram({
    name: 'lead_onboarding_latency_seconds',
    help: 'Time from the acceptance of a lead to the end of a step of its first round',
    labelNames: ['milestone'],
    // Fine where the promises are: at once, and from 10 s.
    buckets: [0.05, 0.1, 0.15, 0.25, 0.5, 1, 2.5, 5, 10, 10.1, 10.25, 10.5, 11, 12.5, 15, 20, 30, 60, 300, 900, 3_600],
    registers: [metrics],
  });
  const ended = new Counter({
    name: 'lead_onboardings_ended_total',
    help: 'Onboardings that have ended, by the state that they ended in',
    labelNames: ['state'],
    registers: [metrics],
  });
  for (const state of ['COMPLETED', 'PARTIAL', 'FAILED', 'CANCELED'] satisfies OnboardingState[])
    ended.inc({ state }, 0);
  return (end) => {
    const milestone = milestoneOf(end);
    const ref = end.input as OnboardingRef;
    if (milestone && ref.round === 1) latency.observe({ milestone }, (Date.now() - takenInAt(ref.leadId)) / 1_000);
    const state = endStateOf(end);
    if (state) ended.inc({ state });
  };
}

function milestoneOf({ step, result }: StepEnd): Milestone | undefined {
  if (step === 'notifyAssignee' && (result as NotifyResult | undefined)?.outcome === 'created') return 'notified';
  if (step === 'enrichLead' && (result as EnrichResult | undefined)?.outcome === 'completed') return 'enriched';
  return step === 'scoreLead' && result !== undefined ? 'scored' : undefined;
}

/** The score ends an onboarding, unless the notification is still out; then closing does. */
function endStateOf({ step, result }: StepEnd): OnboardingState | undefined {
  if ((step !== 'scoreLead' && step !== 'closeOnboarding') || result === undefined) return undefined;
  const { state } = result as ScoreResult | CloseResult;
  return state === 'RUNNING' ? undefined : state;
}

/** @returns milliseconds since the epoch */
const takenInAt = (leadId: string): number => Number.parseInt(leadId.replaceAll('-', '').slice(0, 12), 16);
