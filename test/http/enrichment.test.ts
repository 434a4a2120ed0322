import { describe, expect } from 'vitest';
import { createLeadActivities } from '../../activities/lead.ts';
import { builtInProviders } from '../../src/enrichment/built-in.ts';
import type { EnrichmentProvider, Findings } from '../../src/enrichment/provider.ts';
import type { StartOrder } from '../../src/outbox/order.ts';
import type { EnrichmentRef } from '../../workflows/enrichment-contract.ts';
import { refOf, runActivity, runTwice } from '../support/activity.ts';
import { testWithoutStarts as test } from '../support/api.ts';
import type { TestDatabase } from '../support/database.ts';
import { takeIn } from '../support/onboarding.ts';
import { expectProblem } from '../support/problem.ts';

interface Value {
  value: unknown;
  source: string;
}
interface Enrichment {
  outcome: string | null;
  fields: Record<string, Value>;
  conflicts: ({ field: string } & Value)[];
}

let city = 'Recife';
const service: EnrichmentProvider = {
  name: 'people-api',
  lookUp: () => ({
    kind: 'found',
    fields: { city: { value: city, method: 'api', confidence: 0.7 } } satisfies Findings,
  }),
};

const activitiesOf = (database: TestDatabase) =>
  createLeadActivities({ ...database, providers: [...builtInProviders, service] });

/** A lead that was enriched and scored. */
async function onboarded(database: TestDatabase): Promise<StartOrder> {
  city = 'Recife';
  const order = await takeIn(database);
  const { enrichLead, scoreLead } = activitiesOf(database);
  await runActivity(enrichLead, refOf(order));
  const done = { enrichment: { outcome: 'completed' }, notification: { outcome: 'created' } } as const;
  await runActivity(scoreLead, { ...refOf(order), ...done });
  return order;
}

const againOf = ({ leadId, organizationId }: StartOrder, run: string): EnrichmentRef => ({
  leadId,
  organizationId,
  run,
  fresh: false,
  requestId: 'request-again',
});
const RUN = '01a20ab0-4b6f-76ca-bb2a-7114208777af';

describe('GET /api/leads/{id}/enrichment', () => {
  test('shows each value with its source, method, time and confidence', async ({ api, database }) => {
    const { leadId } = await onboarded(database);
    const { status, body } = await api.call<Enrichment>('GET', `/api/leads/${leadId}/enrichment`);
    expect(status).toBe(200);
    expect(body).toMatchObject({
      leadId,
      outcome: 'completed',
      fields: { city: { value: 'Recife', source: 'people-api', method: 'api', confidence: 0.7 } },
      conflicts: [],
    });
  });

  test('of a lead that was not enriched yet has nothing', async ({ api, database }) => {
    const { leadId } = await takeIn(database);
    const { body } = await api.call('GET', `/api/leads/${leadId}/enrichment`);
    expect(body).toEqual({ leadId, outcome: null, retryAt: null, fields: {}, conflicts: [], providers: [] });
  });
});

describe('PATCH /api/leads/{id}/enrichment', () => {
  const patch = { fields: { city: 'Natal', employeeCount: 12 } };

  test('enters what a human knows, and keeps what it displaces', async ({ api, database }) => {
    const { leadId } = await onboarded(database);
    const { status, body } = await api.call<Enrichment>('PATCH', `/api/leads/${leadId}/enrichment`, patch);
    expect(status).toBe(200);
    expect(body).toMatchObject({
      fields: {
        city: { value: 'Natal', source: 'human', method: 'entered', confidence: 1 },
        employeeCount: { value: 12, source: 'human' },
      },
      conflicts: [{ field: 'city', value: 'Recife', source: 'people-api' }],
    });
    const event = await database.prisma.leadEvent.findFirstOrThrow({ where: { leadId, type: 'lead.updated' } });
    expect(event.data).toMatchObject({ changes: { 'enrichment.city': { from: 'Recife', to: 'Natal' } } });
  });

  test('is never overwritten, and another value of a source is a conflict', async ({ api, database }) => {
    const order = await onboarded(database);
    const path = `/api/leads/${order.leadId}/enrichment`;
    await api.call('PATCH', path, patch);
    city = 'Olinda';
    await runActivity(activitiesOf(database).enrichAgain, againOf(order, RUN));
    const { body } = await api.call<Enrichment>('GET', path);
    expect(body.fields['city']).toMatchObject({ value: 'Natal', source: 'human' });
    expect(body.conflicts).toMatchObject([{ field: 'city', value: 'Olinda', source: 'people-api' }]);
  });

  test('takes back with null what a human entered, and nothing else', async ({ api, database }) => {
    const order = await onboarded(database);
    const path = `/api/leads/${order.leadId}/enrichment`;
    await api.call('PATCH', path, patch);
    const { body } = await api.call<Enrichment>('PATCH', path, { fields: { city: null, country: null } });
    expect(body.fields['city']).toBeUndefined();
    expect(body.fields['country']).toMatchObject({ value: 'BR' });
    expect(body.conflicts).toMatchObject([{ field: 'city', value: 'Recife' }]);
    await runActivity(activitiesOf(database).enrichAgain, againOf(order, RUN));
    const { body: later } = await api.call<Enrichment>('GET', path);
    expect(later.fields['city']).toMatchObject({ value: 'Recife', source: 'people-api' });
    expect(later.conflicts).toEqual([]);
  });

  test('works before the lead is enriched, whose providers then see it', async ({ api, database }) => {
    const order = await takeIn(database);
    await api.call('PATCH', `/api/leads/${order.leadId}/enrichment`, patch);
    await runActivity(activitiesOf(database).enrichLead, refOf(order));
    const { body } = await api.call<Enrichment>('GET', `/api/leads/${order.leadId}/enrichment`);
    expect(body).toMatchObject({
      outcome: 'completed',
      fields: { city: { value: 'Natal' }, country: { value: 'BR' } },
    });
  });

  test.for([
    [{}, 'fields'],
    [{ fields: {} }, 'fields'],
    [{ fields: { emailKind: 'FREE' } }, 'fields.emailKind'],
    [{ fields: { employeeCount: 'many' } }, 'fields.employeeCount'],
    [{ fields: { country: 'Brazil' } }, 'fields.country'],
    [{ fields: { linkedinUrl: 'javascript:alert(1)' } }, 'fields.linkedinUrl'],
    [{ fields: { companyDomain: 'no domain' } }, 'fields.companyDomain'],
    [{ fields: { city: ' \u0000 ' } }, 'fields.city'],
    [{ fields: { socialLinks: [] } }, 'fields.socialLinks'],
  ] as const)('refuses %j', async ([body, path], { api, database }) => {
    const { leadId } = await takeIn(database);
    const answer = await api.call<{ errors?: { path: string }[] }>('PATCH', `/api/leads/${leadId}/enrichment`, body);
    expect(answer.status).toBe(400);
    expect(answer.body.errors?.map((error) => error.path)).toContain(path);
  });
});

describe('POST /api/leads/{id}/enrich', () => {
  test('leaves an order in the outbox', async ({ api, database }) => {
    const { leadId } = await onboarded(database);
    const { status, body } = await api.call<{ run: string }>('POST', `/api/leads/${leadId}/enrich`);
    expect(status).toBe(202);
    const order = await database.prisma.outbox.findFirstOrThrow({ where: { leadId, kind: 'ENRICH_LEAD' } });
    expect(order.payload).toMatchObject({ run: body.run, priority: 'NORMAL', fresh: false });
    await api.call('POST', `/api/leads/${leadId}/enrich?fresh=true`);
    const orders = await database.prisma.outbox.findMany({ where: { leadId, kind: 'ENRICH_LEAD' } });
    expect(orders.map(({ payload }) => (payload as { fresh: boolean }).fresh).toSorted()).toEqual([false, true]);
  });

  test('is refused, with what to do, while the onboarding goes on', async ({ api, database }) => {
    const { leadId } = await takeIn(database);
    const answer = await api.call('POST', `/api/leads/${leadId}/enrich`);
    expectProblem(answer, 409, 'conflict');
    expect(answer.text).toContain('enrich-now');
    expect(await database.prisma.outbox.count({ where: { leadId, kind: 'ENRICH_LEAD' } })).toBe(0);
  });
});

describe('an enrichment after the onboarding', () => {
  test('enriches and scores once, and leaves the state of the onboarding alone', async ({ database }) => {
    const order = await onboarded(database);
    const { enrichAgain, scoreAfterEnrichment } = activitiesOf(database);
    const { phone } = await database.prisma.leadRecord.update({ where: { id: order.leadId }, data: { phone: null } });
    expect(phone).toBeNull();
    const ref = againOf(order, RUN);
    expect(await runTwice(enrichAgain, ref)).toEqual([{ outcome: 'completed' }, { outcome: 'completed' }]);
    const [first, second] = await runTwice(scoreAfterEnrichment, ref);
    expect(second).toEqual(first);

    const lead = await database.prisma.lead.findUniqueOrThrow({ where: { id: order.leadId } });
    expect(lead.onboardingState).toBe('COMPLETED');
    expect(lead.score).toBe(first.score);
    expect(first.score).toBeLessThan(85);
    // A number that is gone takes what was known of it along.
    expect(Object.keys((lead.enrichment as { fields: object }).fields)).not.toContain('phoneE164');
    const events = await database.prisma.leadEvent.findMany({
      where: { leadId: order.leadId },
      orderBy: { seq: 'asc' },
    });
    expect(events.map(({ type }) => type).slice(-3)).toEqual([
      'enrichment.started',
      'enrichment.completed',
      'score.calculated',
    ]);
  });

  test('of a lead that is gone ends for good', async ({ database }) => {
    const order = await onboarded(database);
    await database.prisma.leadRecord.delete({ where: { id: order.leadId } });
    const failure = runActivity(activitiesOf(database).enrichAgain, againOf(order, RUN));
    await expect(failure).rejects.toMatchObject({ type: 'LeadGone', nonRetryable: true });
  });
});
