import { describe, expect } from 'vitest';
import { createLeadActivities } from '../../activities/lead.ts';
import { createNotificationActivities } from '../../activities/notification.ts';
import { builtInProviders } from '../../src/enrichment/built-in.ts';
import type { Answer, EnrichmentProvider } from '../../src/enrichment/provider.ts';
import type { ScoreInput } from '../../workflows/contract.ts';
import { refOf, runActivity, runTwice } from '../support/activity.ts';
import type { TestDatabase } from '../support/database.ts';
import { takeIn, test } from '../support/onboarding.ts';

const activitiesOf = (database: TestDatabase, providers: readonly EnrichmentProvider[] = builtInProviders) =>
  createLeadActivities({ ...database, providers });

const typesOf = async ({ prisma }: TestDatabase, leadId: string) =>
  (await prisma.leadEvent.findMany({ where: { leadId }, orderBy: { seq: 'asc' } })).map(({ type }) => type);

describe('enrichLead', () => {
  test('stores each value with its source and time, once', async ({ database }) => {
    const { enrichLead } = activitiesOf(database);
    const order = await takeIn(database);
    expect(await runTwice(enrichLead, refOf(order))).toEqual([{ outcome: 'completed' }, { outcome: 'completed' }]);

    const { enrichment } = await database.prisma.lead.findUniqueOrThrow({ where: { id: order.leadId } });
    expect(enrichment).toMatchObject({
      outcome: 'completed',
      fields: {
        phoneE164: { value: '+5511987654321', source: 'phone', fetchedAt: expect.any(String) as string },
        country: { value: 'BR' },
      },
    });
    expect(await typesOf(database, order.leadId)).toEqual([
      'lead.created',
      'onboarding.started',
      'enrichment.started',
      'enrichment.completed',
    ]);
  });

  const answering = (answer: Answer): EnrichmentProvider => ({ name: 'by-the-test', lookUp: () => answer });

  test('asks to be run again at the time that a source names', async ({ database }) => {
    const soon = answering({ kind: 'retry', at: new Date(Date.now() + 420_000), reason: 'rate-limited' });
    const { enrichLead } = activitiesOf(database, [...builtInProviders, soon]);
    const order = await takeIn(database);
    const failure = await runActivity(enrichLead, refOf(order)).catch((err: unknown) => err);
    expect(failure).toMatchObject({ type: 'ProviderUnavailable', nonRetryable: false });
    expect((failure as { nextRetryDelay: number }).nextRetryDelay).toBeGreaterThan(300_000);
  });

  test('goes on without a source that still asks for patience at the last attempt', async ({ database }) => {
    const later = answering({ kind: 'retry', at: new Date(Date.now() + 420_000), reason: 'rate-limited' });
    const { enrichLead } = activitiesOf(database, [...builtInProviders, later]);
    const order = await takeIn(database);
    expect(await runActivity(enrichLead, refOf(order), 5)).toEqual({ outcome: 'partial' });
    const { enrichment } = await database.prisma.lead.findUniqueOrThrow({ where: { id: order.leadId } });
    expect(enrichment).toMatchObject({ fields: { country: { value: 'BR' } } });
  });

  test('does not write over an enrichment that was skipped meanwhile', async ({ database }) => {
    const { enrichLead, scoreLead } = activitiesOf(database);
    const order = await takeIn(database);
    const skipped: ScoreInput = {
      ...refOf(order),
      enrichment: { outcome: 'skipped', reason: 'skipEnrichment' },
      notification: { outcome: 'pending' },
    };
    await runActivity(scoreLead, skipped);
    expect(await runActivity(enrichLead, refOf(order))).toEqual({ outcome: 'skipped' });
    const lead = await database.prisma.lead.findUniqueOrThrow({ where: { id: order.leadId } });
    expect(lead.enrichment).toBeNull();
  });
});

describe('scoreLead', () => {
  test('writes score and outcome in one go, and answers the same when it runs again', async ({ database }) => {
    const { enrichLead, scoreLead } = activitiesOf(database);
    const { notifyAssignee } = createNotificationActivities(database);
    const order = await takeIn(database);
    await runActivity(notifyAssignee, refOf(order));
    await runActivity(enrichLead, refOf(order));
    const input: ScoreInput = {
      ...refOf(order),
      enrichment: { outcome: 'completed' },
      notification: { outcome: 'created' },
    };
    const [first, second] = await runTwice(scoreLead, input);
    expect(first).toEqual({ score: 85, band: 'HOT', state: 'COMPLETED' });
    expect(second).toEqual(first);
    expect((await typesOf(database, order.leadId)).slice(-2)).toEqual(['score.calculated', 'onboarding.completed']);
  });

  test('leaves the onboarding open, and watched, while the notification is still out', async ({ database }) => {
    const { scoreLead } = activitiesOf(database);
    const order = await takeIn(database);
    const input: ScoreInput = {
      ...refOf(order),
      enrichment: { outcome: 'skipped' },
      notification: { outcome: 'pending' },
    };
    expect(await runActivity(scoreLead, input)).toMatchObject({ state: 'RUNNING' });
    expect((await typesOf(database, order.leadId)).at(-1)).toBe('score.calculated');
    expect(await database.prisma.watch.count({ where: { leadId: order.leadId } })).toBe(1);
  });

  test('notes the steps that gave up without a word of their own', async ({ database }) => {
    const { scoreLead } = activitiesOf(database);
    const order = await takeIn(database);
    const result = await runActivity(scoreLead, {
      ...refOf(order),
      enrichment: { outcome: 'partial', reason: 'Timeout:SCHEDULE_TO_CLOSE' },
      notification: { outcome: 'failed', reason: 'InboxGone' },
    });
    expect(result.state).toBe('PARTIAL');
    const events = await database.prisma.leadEvent.findMany({ where: { leadId: order.leadId } });
    const reasons = Object.fromEntries(events.map(({ type, data }) => [type, (data as { reason?: string }).reason]));
    expect(reasons).toMatchObject({
      'enrichment.partial': 'Timeout:SCHEDULE_TO_CLOSE',
      'notification.failed': 'InboxGone',
    });
  });
});

describe('closeOnboarding', () => {
  test('ends a canceled onboarding once, and changes nothing that is over', async ({ database }) => {
    const { closeOnboarding } = activitiesOf(database);
    const order = await takeIn(database);
    const input = { ...refOf(order), verdict: 'canceled' as const, notification: { outcome: 'pending' as const } };
    expect(await runTwice(closeOnboarding, input)).toEqual([{ state: 'CANCELED' }, { state: 'CANCELED' }]);
    expect(await typesOf(database, order.leadId)).toEqual(['lead.created', 'onboarding.canceled']);

    const failing = { ...input, verdict: 'failed' as const };
    expect(await runActivity(closeOnboarding, failing)).toEqual({ state: 'CANCELED' });
  });

  test('counts a lead that is gone as canceled', async ({ database }) => {
    const { closeOnboarding } = activitiesOf(database);
    const order = await takeIn(database);
    await database.prisma.leadRecord.delete({ where: { id: order.leadId } });
    const input = { ...refOf(order), verdict: 'canceled' as const, notification: { outcome: 'pending' as const } };
    expect(await runTwice(closeOnboarding, input)).toEqual([{ state: 'CANCELED' }, { state: 'CANCELED' }]);
  });
});
