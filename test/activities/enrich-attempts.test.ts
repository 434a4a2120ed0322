import { randomUUID } from 'node:crypto';
import type { ApplicationFailure } from '@temporalio/activity';
import { describe, expect } from 'vitest';
import { createLeadActivities } from '../../activities/lead.ts';
import { builtInProviders } from '../../src/enrichment/built-in.ts';
import type { Answer, EnrichmentProvider } from '../../src/enrichment/provider.ts';
import type { StoredEnrichment } from '../../src/enrichment/stored.ts';
import { startEnrichment } from '../../src/onboarding/enrichment-step.ts';
import { refOf, runActivity } from '../support/activity.ts';
import { takeIn, test } from '../support/onboarding.ts';

/** A source that gives these answers, one after the other, and counts how often it was asked. */
function answering(name: string, ...answers: Answer[]) {
  const asked: string[] = [];
  const provider: EnrichmentProvider = {
    name,
    lookUp: () => {
      asked.push(name);
      return answers[asked.length - 1] ?? { kind: 'nothing' };
    },
  };
  return { provider, asked };
}

const later = (seconds: number): Answer => ({
  kind: 'retry',
  at: new Date(Date.now() + seconds * 1_000),
  reason: 'http-429',
});
const found = (value: string): Answer => ({
  kind: 'found',
  fields: { city: { value, method: 'api', confidence: 0.5 } },
});

describe('the next attempt of an enrichment', () => {
  test('asks only those that asked for patience, and keeps what the others said', async ({ database }) => {
    const settled = answering('settled', found('Recife'));
    const stopped = answering('stopped', { kind: 'stop', reason: 'http-401' });
    const patient = answering('patient', later(7), {
      kind: 'found',
      fields: { jobTitle: { value: 'CTO', method: 'api', confidence: 0.5 } },
    });
    const providers = [...builtInProviders, settled.provider, stopped.provider, patient.provider];
    const { enrichLead } = createLeadActivities({ ...database, providers });
    const order = await takeIn(database);
    await expect(runActivity(enrichLead, refOf(order), 1)).rejects.toMatchObject({ type: 'ProviderUnavailable' });

    // What is there so far counts, should no attempt follow.
    const between = await database.prisma.lead.findUniqueOrThrow({ where: { id: order.leadId } });
    expect(between.enrichment).toMatchObject({
      outcome: 'partial',
      retryAt: expect.any(String) as string,
      fields: { city: { value: 'Recife' } },
    });

    expect(await runActivity(enrichLead, refOf(order), 2)).toEqual({ outcome: 'partial' });
    expect([settled.asked, stopped.asked, patient.asked].map(({ length }) => length)).toEqual([1, 1, 2]);
    const lead = await database.prisma.lead.findUniqueOrThrow({ where: { id: order.leadId } });
    const { fields, providers: reports } = lead.enrichment as unknown as StoredEnrichment;
    expect(fields).toMatchObject({ city: { value: 'Recife' }, jobTitle: { value: 'CTO' }, country: { value: 'BR' } });
    expect(reports.slice(-3)).toEqual([
      { provider: 'settled', answer: 'found' },
      { provider: 'stopped', answer: 'stop', reason: 'http-401' },
      { provider: 'patient', answer: 'found' },
    ]);
  });

  test('does not come when it would not be over in time', async ({ database }) => {
    const { provider, asked } = answering('patient', later(3_600));
    const { enrichLead } = createLeadActivities({ ...database, providers: [provider] });
    const order = await takeIn(database);
    expect(await runActivity(enrichLead, refOf(order))).toEqual({ outcome: 'partial' });
    expect(asked).toHaveLength(1);
    const { enrichment } = await database.prisma.lead.findUniqueOrThrow({ where: { id: order.leadId } });
    expect(enrichment).toMatchObject({ providers: [{ provider: 'patient', answer: 'retry', reason: 'http-429' }] });
    expect(enrichment).not.toHaveProperty('retryAt');
  });

  test('comes when it can be over in time, and not when it could only begin', async ({ database }) => {
    const TIME_S = 15 * 60;
    for (const [seconds, outcome] of [
      [TIME_S - 60, 'ProviderUnavailable'],
      [TIME_S - 20, 'partial'],
    ] as const) {
      const { provider } = answering('patient', later(seconds));
      const { enrichLead } = createLeadActivities({ ...database, providers: [provider] });
      const ended = runActivity(enrichLead, refOf(await takeIn(database)));
      expect(await ended.catch((err: unknown) => ({ outcome: (err as ApplicationFailure).type }))).toEqual({ outcome });
    }
  });

  test('comes later each time when the source names no time', async ({ database }) => {
    const { provider } = answering('down', ...[1, 2, 3].map(() => later(0)));
    const { enrichLead } = createLeadActivities({ ...database, providers: [provider] });
    const order = await takeIn(database);
    const delays: number[] = [];
    for (const attempt of [1, 2, 3]) {
      const failure: unknown = await runActivity(enrichLead, refOf(order), attempt).catch((err: unknown) => err);
      delays.push((failure as { nextRetryDelay: number }).nextRetryDelay);
    }
    expect(delays).toEqual([1_000, 2_000, 4_000]);
  });

  test('of another round asks all again', async ({ database }) => {
    const { provider, asked } = answering('settled', found('Recife'), found('Olinda'));
    const { enrichLead } = createLeadActivities({ ...database, providers: [provider] });
    const order = await takeIn(database);
    await runActivity(enrichLead, refOf(order));
    await database.prisma.onboarding.update({ where: { leadId: order.leadId }, data: { round: 2 } });
    await runActivity(enrichLead, { ...refOf(order), round: 2 });
    expect(asked).toHaveLength(2);
    const lead = await database.prisma.lead.findUniqueOrThrow({ where: { id: order.leadId } });
    expect(lead.enrichment).toMatchObject({ fields: { city: { value: 'Olinda' } } });
  });
});

describe('the time of an enrichment', () => {
  const HOUR_MS = 3_600_000;

  test('begins with its first attempt: an order that waited for hours is carried out', async ({ database }) => {
    const source = answering('late', later(60), found('Recife'));
    const { enrichLead } = createLeadActivities({ ...database, providers: [source.provider] });
    const order = await takeIn(database);
    await database.prisma.leadRecord.update({
      where: { id: order.leadId },
      data: { createdAt: new Date(Date.now() - 10 * HOUR_MS) },
    });
    await expect(runActivity(enrichLead, refOf(order), 1)).rejects.toMatchObject({ type: 'ProviderUnavailable' });
    expect(await runActivity(enrichLead, refOf(order), 2)).toEqual({ outcome: 'completed' });
  });

  test('is up when its attempts were all cut short: it is not tried again and again', async ({ database }) => {
    const source = answering('deadly');
    const { enrichLead } = createLeadActivities({ ...database, providers: [source.provider] });
    const order = await takeIn(database);
    const ref = refOf(order);
    await runActivity(() => startEnrichment(database.pool, ref), ref);
    await database.prisma.leadEvent.updateMany({
      where: { leadId: order.leadId, type: 'enrichment.started' },
      data: { at: new Date(Date.now() - HOUR_MS) },
    });
    const late = runActivity(enrichLead, ref, 6);
    await expect(late).rejects.toMatchObject({ type: 'OutOfTime', nonRetryable: true });
    expect(source.asked).toEqual([]);
    expect(await runActivity(enrichLead, ref, 5)).toEqual({ outcome: 'completed' });
  });

  test('is not up for a lead whose workers were killed again and again, while there is any', async ({ database }) => {
    const { enrichLead } = createLeadActivities({ ...database, providers: [answering('settled').provider] });
    expect(await runActivity(enrichLead, refOf(await takeIn(database)), 60)).toEqual({ outcome: 'completed' });
  });
});

describe('what a source is told', () => {
  test('is whether what is remembered will do: an enrichment of its own may ask for fresh answers', async ({
    database,
  }) => {
    const told: (boolean | undefined)[] = [];
    const provider: EnrichmentProvider = {
      name: 'asked',
      lookUp: (_facts, { subject }) => {
        told.push(subject.fresh);
        return { kind: 'nothing' };
      },
    };
    const { enrichLead, enrichAgain } = createLeadActivities({ ...database, providers: [provider] });
    const { leadId, organizationId, requestId } = refOf(await takeIn(database));
    await runActivity(enrichLead, refOf(await takeIn(database)));
    for (const fresh of [false, true]) {
      const run = randomUUID();
      await runActivity(enrichAgain, { leadId, organizationId, requestId, run, fresh });
    }
    expect(told).toEqual([false, false, true]);
  });
});
