import { setTimeout as sleep } from 'node:timers/promises';
import { ApplicationFailure, heartbeat, sleep as activitySleep } from '@temporalio/activity';
import { describe, expect } from 'vitest';
import type { OnboardingView } from '../../workflows/contract.ts';
import { historyText, type Onboarding, test } from '../support/onboarding.ts';

const FAR_AWAY_MS = 600_000;

const alwaysFails = (type: string) => () => Promise.reject(ApplicationFailure.nonRetryable('by the test', type));

const view = ({ handle }: Onboarding) => handle.query<OnboardingView>('onboarding');

async function eventually<T>(read: () => Promise<T>, accept: (value: T) => boolean): Promise<T> {
  for (let tries = 0; tries < 100; tries += 1) {
    const value = await read();
    if (accept(value)) return value;
    await sleep(50);
  }
  throw new Error(`still ${JSON.stringify(await read())}`);
}

describe('leadOnboarding', () => {
  test('notifies at once, waits, enriches, scores, in this order', async ({ onboard }) => {
    const run = await onboard({ delayMs: FAR_AWAY_MS });
    await expect.poll(() => run.timeline()).toContain('notification.created');
    await run.handle.signal('enrichNow');
    expect(await run.handle.result()).toEqual({
      state: 'COMPLETED',
      notification: 'created',
      enrichment: 'completed',
      score: 85,
      band: 'HOT',
    });
    expect(await run.timeline()).toEqual([
      'lead.created',
      'onboarding.started',
      'notification.created',
      'enrichment.started',
      'enrichment.completed',
      'score.calculated',
      'onboarding.completed',
    ]);
  });

  test('stores the score with lines that sum to it', async ({ onboard, database }) => {
    const run = await onboard();
    await run.handle.result();
    const lead = await database.prisma.lead.findUniqueOrThrow({ where: { id: run.leadId } });
    const lines = lead.scoreBreakdown as { points: number }[];
    expect(lead).toMatchObject({ onboardingState: 'COMPLETED', score: 85, scoreBand: 'HOT' });
    expect(lines.reduce((sum, { points }) => sum + points, 0)).toBe(85);
  });

  test('scores the lead although the enrichment gives up', async ({ onboard }) => {
    const run = await onboard({ activities: { enrichLead: alwaysFails('ProviderDown') } });
    expect(await run.handle.result()).toMatchObject({ state: 'PARTIAL', enrichment: 'partial', score: 45 });
    expect(await run.timeline()).toContain('enrichment.partial');
  });

  test('enriches and scores although the notification gives up', async ({ onboard, database }) => {
    const run = await onboard({ activities: { notifyAssignee: alwaysFails('InboxGone') } });
    expect(await run.handle.result()).toMatchObject({ state: 'PARTIAL', notification: 'failed', score: 85 });
    expect(await run.timeline()).toContain('notification.failed');
    expect(await database.prisma.notification.count({ where: { leadId: run.leadId } })).toBe(0);
  });

  test('does not let a slow notification delay the score, and ends once it is out', async ({ onboard, database }) => {
    let release: () => void = () => undefined;
    const held = new Promise<void>((resolve) => (release = resolve));
    const run = await onboard({
      activities: { notifyAssignee: () => held.then(() => ({ outcome: 'skipped' as const })) },
    });
    const scored = await eventually(
      () => view(run),
      ({ score }) => score !== null,
    );
    expect(scored).toMatchObject({ state: 'RUNNING', notification: 'pending', score: 85 });
    const lead = await database.prisma.lead.findUniqueOrThrow({ where: { id: run.leadId } });
    expect(lead).toMatchObject({ onboardingState: 'RUNNING', score: 85 });

    release();
    expect(await run.handle.result()).toMatchObject({ state: 'COMPLETED', notification: 'skipped' });
  });

  test('tries a failing step again until it goes well, and logs each attempt', async ({ onboard, database }) => {
    const { createLeadActivities } = await import('../../activities/lead.ts');
    const { builtInProviders } = await import('../../src/enrichment/built-in.ts');
    const real = createLeadActivities({ ...database, providers: builtInProviders });
    let failures = 2;
    const run = await onboard({
      activities: {
        enrichLead: (ref) => (failures-- > 0 ? Promise.reject(new Error('by the test')) : real.enrichLead(ref)),
      },
    });
    expect(await run.handle.result()).toMatchObject({ state: 'COMPLETED', enrichment: 'completed' });
    const attempts = run.log.filter(({ step, leadId }) => step === 'enrichLead' && leadId === run.leadId);
    // A task that Temporal gave to a worker of an earlier file, which had just stopped, is an attempt as well.
    const lost = Number(attempts[0]?.['attempt']) - 1;
    expect(attempts.map(({ msg, attempt }) => [Number(attempt) - lost, msg])).toEqual([
      [1, 'step started'],
      [1, 'step failed'],
      [2, 'step started'],
      [2, 'step failed'],
      [3, 'step started'],
      [3, 'step completed'],
    ]);
  });

  test('enriches at once on enrichNow', async ({ onboard }) => {
    const run = await onboard({ delayMs: FAR_AWAY_MS });
    await run.handle.signal('enrichNow');
    expect(await run.handle.result()).toMatchObject({ state: 'COMPLETED', enrichment: 'completed' });
  });

  test('scores without enrichment on skipEnrichment during the wait', async ({ onboard }) => {
    const run = await onboard({ delayMs: FAR_AWAY_MS });
    await run.handle.signal('skipEnrichment');
    expect(await run.handle.result()).toMatchObject({ state: 'COMPLETED', enrichment: 'skipped', score: 45 });
    expect(await run.timeline()).toContain('enrichment.skipped');
  });

  test('leaves a hanging enrichment behind on skipEnrichment', async ({ onboard }) => {
    const hang = async () => {
      for (;;) {
        heartbeat();
        await activitySleep(100);
      }
    };
    const run = await onboard({ activities: { enrichLead: hang } });
    await eventually(
      () => view(run),
      ({ enrichment }) => enrichment === 'running',
    );
    await run.handle.signal('skipEnrichment');
    expect(await run.handle.result()).toMatchObject({ state: 'COMPLETED', enrichment: 'skipped' });
  });

  test('ends as canceled on cancel, in Postgres and in Temporal', async ({ onboard, database }) => {
    const run = await onboard({ delayMs: FAR_AWAY_MS });
    await eventually(
      () => view(run),
      ({ notification }) => notification === 'created',
    );
    await run.handle.signal('cancel');
    await expect(run.handle.result()).rejects.toMatchObject({ cause: { name: 'CancelledFailure' } });
    const lead = await database.prisma.lead.findUniqueOrThrow({ where: { id: run.leadId } });
    expect(lead).toMatchObject({ onboardingState: 'CANCELED', score: null });
    expect((await run.timeline()).at(-1)).toBe('onboarding.canceled');
  });

  test("ends as canceled when an operator cancels the run in Temporal's own way", async ({ onboard, database }) => {
    const run = await onboard({ delayMs: FAR_AWAY_MS });
    await eventually(
      () => view(run),
      ({ notification }) => notification === 'created',
    );
    await run.handle.cancel();
    await expect(run.handle.result()).rejects.toMatchObject({ cause: { name: 'CancelledFailure' } });
    const lead = await database.prisma.lead.findUniqueOrThrow({ where: { id: run.leadId } });
    expect(lead.onboardingState).toBe('CANCELED');
  });

  test('fails, and says so, when the score cannot be had', async ({ onboard, database }) => {
    const run = await onboard({ activities: { scoreLead: alwaysFails('RulesBroken') } });
    await expect(run.handle.result()).rejects.toMatchObject({ cause: { cause: { type: 'RulesBroken' } } });
    const lead = await database.prisma.lead.findUniqueOrThrow({ where: { id: run.leadId } });
    expect(lead.onboardingState).toBe('FAILED');
    expect((await run.timeline()).at(-1)).toBe('onboarding.failed');
  });

  test('skips the notification of a lead without an assignee', async ({ onboard, database }) => {
    const run = await onboard({ lead: { assignedTo: null } });
    expect(await run.handle.result()).toMatchObject({ state: 'COMPLETED', notification: 'skipped' });
    expect(await database.prisma.notification.count({ where: { leadId: run.leadId } })).toBe(0);
  });

  test('ends quietly when the lead is gone', async ({ onboard, database }) => {
    const run = await onboard({ delayMs: 1_000 });
    await eventually(
      () => view(run),
      ({ notification }) => notification === 'created',
    );
    await database.prisma.leadRecord.delete({ where: { id: run.leadId } });
    expect(await run.handle.result()).toMatchObject({ state: 'CANCELED', score: null });
  });

  test('can be read in the Web UI: summaries, details, search attributes, and no personal data', async ({
    onboard,
  }) => {
    const run = await onboard();
    await run.handle.result();
    const { searchAttributes, staticSummary, raw } = await describeWithSummary(run);
    expect(staticSummary).toBe(`Onboard lead ${run.leadId}`);
    expect(searchAttributes).toMatchObject({
      LeadId: [run.leadId],
      OrganizationId: ['org-123'],
      LeadSource: ['WEBSITE'],
      OnboardingState: ['COMPLETED'],
      ScoreBand: ['HOT'],
    });
    const { currentDetails } = await run.handle.query<{ currentDetails: string }>('__temporal_workflow_metadata');
    const details = ['State:** COMPLETED', 'Notification:** created', 'Enrichment:** completed', 'Score:** 85 (HOT)'];
    expect(currentDetails.split('\n')).toEqual(details.map((line) => `- **${line}`));
    const history = await historyText(run.handle);
    for (const summary of [
      'Notify the assignee of lead',
      'Wait 0.05 s before enriching',
      'Enrich lead',
      'Score lead',
    ]) {
      expect(history).toContain(summary);
    }
    const everything = history + JSON.stringify(raw) + JSON.stringify(run.log);
    expect(everything).not.toMatch(/Silva|joao|98765-?4321|Acme/);
  });
});

async function describeWithSummary(run: Onboarding) {
  const description = await run.handle.describe();
  return {
    // oxlint-disable-next-line typescript/no-deprecated -- the plain form is easier to compare
    searchAttributes: description.searchAttributes,
    staticSummary: await description.staticSummary(),
    raw: description.raw,
  };
}
