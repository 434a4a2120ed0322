import { Registry } from 'prom-client';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { measureOnboardings } from '../../src/onboarding/onboarding-metrics.ts';
import type { StepEnd } from '../../src/temporal/step-metrics.ts';
import { seriesOf } from '../support/metrics.ts';

/** Its first 48 bits say that the lead was taken in at 12:00 on 24 November 2026. */
const LEAD = '01a20d6d-5a00-7000-8000-000000000000';
const TAKEN_IN = Number.parseInt(LEAD.replace('-', '').slice(0, 12), 16);
const NAMES = { latency: 'lead_onboarding_latency_seconds', ended: 'lead_onboardings_ended_total' };

/** What the metrics say after some ends of steps, 11 s after the lead was taken in; without the series that are 0. */
async function metricsAfter(...ends: Pick<StepEnd, 'step' | 'result' | 'input'>[]): Promise<Record<string, number>> {
  vi.useFakeTimers({ now: TAKEN_IN + 11_000, toFake: ['Date'] });
  onTestFinished(() => void vi.useRealTimers());
  const metrics = new Registry();
  const measure = measureOnboardings(metrics);
  for (const end of ends) measure(end as StepEnd);
  const told = [...seriesOf(await metrics.metrics())].filter(([name, value]) => value > 0 && !name.includes('_bucket'));
  return Object.fromEntries(told);
}

const input = { leadId: LEAD, organizationId: 'org-1', requestId: 'request-1', round: 1 };
const milestone = (name: string) => ({
  [`${NAMES.latency}_sum{milestone="${name}"}`]: 11,
  [`${NAMES.latency}_count{milestone="${name}"}`]: 1,
});

describe('the latency of an onboarding', () => {
  test.for([
    ['notified', { step: 'notifyAssignee', result: { outcome: 'created' } }],
    ['enriched', { step: 'enrichLead', result: { outcome: 'completed' } }],
    ['scored', { step: 'scoreLead', result: { state: 'RUNNING' } }],
  ] as const)('counts from the moment in the id of the lead until it is %s', async ([name, end]) => {
    expect(await metricsAfter({ ...end, input })).toEqual(milestone(name));
  });

  test('is that of the first round, and of what was done', async () => {
    const again = { ...input, round: 2 };
    const ends = [
      { step: 'notifyAssignee', result: { outcome: 'created' }, input: again },
      { step: 'notifyAssignee', result: { outcome: 'none' }, input },
      { step: 'enrichLead', result: { outcome: 'skipped' }, input },
      { step: 'enrichLead', result: undefined, input },
      { step: 'scoreLead', result: undefined, input },
      { step: 'rescorePage', result: { outcome: 'completed' }, input },
    ];
    expect(await metricsAfter(...ends)).toEqual({});
  });

  test('has buckets around what is promised', async () => {
    const metrics = new Registry();
    measureOnboardings(metrics)({ step: 'scoreLead', result: { state: 'RUNNING' }, input } as unknown as StepEnd);
    const bounds = [...(await metrics.metrics()).matchAll(/le="([\d.]+)"/g)].map(([, bound]) => Number(bound));
    expect(bounds).toEqual(expect.arrayContaining([0.05, 0.15, 10, 10.1, 10.25]));
  });
});

describe('the ends of onboardings', () => {
  test('are counted by the score that ends one, and by its closing', async () => {
    const ends = [
      { step: 'scoreLead', result: { state: 'COMPLETED' }, input: { ...input, round: 2 } },
      { step: 'scoreLead', result: { state: 'RUNNING' }, input: { ...input, round: 2 } },
      { step: 'closeOnboarding', result: { state: 'PARTIAL' }, input },
      { step: 'closeOnboarding', result: undefined, input },
      { step: 'notifyAssignee', result: { state: 'FAILED' }, input },
    ];
    expect(await metricsAfter(...ends)).toEqual({
      [`${NAMES.ended}{state="COMPLETED"}`]: 1,
      [`${NAMES.ended}{state="PARTIAL"}`]: 1,
    });
  });

  test('are there from the start, with 0', async () => {
    const metrics = new Registry();
    measureOnboardings(metrics);
    const series = seriesOf(await metrics.metrics());
    for (const state of ['COMPLETED', 'PARTIAL', 'FAILED', 'CANCELED'])
      expect(series.get(`${NAMES.ended}{state="${state}"}`)).toBe(0);
  });
});
