import { randomUUID } from 'node:crypto';
import { describe, expect } from 'vitest';
import type { readActivity } from '../../src/ops/activity.ts';
import { testWithoutStarts as test } from '../support/api.ts';
import { storeAttempt } from '../support/attempts.ts';
import type { TestDatabase } from '../support/database.ts';
import { storeFailed } from '../support/failures.ts';
import { takeIn } from '../support/onboarding.ts';
import { fillScored } from '../support/scores.ts';

type Activity = Awaited<ReturnType<typeof readActivity>>;

/** Writes the entry of a step of the first round. */
const writeEntry = ({ prisma }: TestDatabase, leadId: string, stepKey: string, type: string) =>
  prisma.leadEvent.create({ data: { id: randomUUID(), leadId, organizationId: 'org-123', type, stepKey } });

describe('GET /ops/activity', () => {
  test('says where each lead is, the one that moved last first', async ({ api, database }) => {
    const reached = ['created', 'notified', 'enriching', 'enriched', 'scored'];
    const entries: [key: string, type: string][] = [
      ['1/notification', 'notification.created'],
      ['1/enrichment.started', 'enrichment.started'],
      ['1/enrichment', 'enrichment.completed'],
      ['1/score', 'score.calculated'],
    ];
    const ids: string[] = [];
    for (const [index] of reached.entries()) {
      const { leadId } = await takeIn(database, { priority: index === 0 ? 'CRITICAL' : 'NORMAL' }, 600_000);
      for (const [key, type] of entries.slice(0, index)) await writeEntry(database, leadId, key, type);
      ids.push(leadId);
    }
    const { status, body, text } = await api.call<Activity>('GET', '/ops/activity');
    expect(status).toBe(200);
    expect(body.leads.map(({ leadId, stage }) => [leadId, stage])).toEqual(
      ids.map((leadId, index) => [leadId, reached[index]]).reverse(),
    );
    expect(body.leads.at(-1)).toMatchObject({
      organizationId: 'org-123',
      priority: 'CRITICAL',
      state: 'PENDING',
      round: 1,
    });
    expect(text).not.toMatch(/João|Silva|example\.com|98765-?4321/);
  });

  test('has a lead whose step has just ended, however many newer ones there are', async ({ api, database }) => {
    const { leadId } = await takeIn(database, {}, 600_000);
    await database.pool.query(`DELETE FROM watch WHERE lead_id = $1`, [leadId]);
    await fillScored(database.pool, 'org-newer', 250);

    const shown = async () =>
      (await api.call<Activity>('GET', '/ops/activity')).body.leads.some((lead) => lead.leadId === leadId);
    await storeAttempt(database, { leadId, step: 'scoreLead', endedAgo: 1, ran: 0.1 });
    expect(await shown()).toBe(true);
    await database.pool.query(`UPDATE step_attempt SET ended_at = now() - interval '2 minutes' WHERE lead_id = $1`, [
      leadId,
    ]);
    expect(await shown()).toBe(false);
    await database.pool.query('DELETE FROM step_attempt WHERE lead_id = $1', [leadId]); // the next test counts them
  });

  test('counts, minute by minute, what came in, was scored and failed, and how long steps took', async ({
    api,
    database,
  }) => {
    const { leadId } = await takeIn(database, {}, 600_000);
    for (const ran of [1, 2, 3, 40]) await storeAttempt(database, { leadId, step: 'scoreLead', endedAgo: 0, ran });
    await storeAttempt(database, { leadId, step: 'scoreLead', endedAgo: 0, ran: 50, outcome: 'failed' });
    await storeAttempt(database, { leadId, step: 'enrichLead', endedAgo: 3_000, ran: 0.5 });
    await storeAttempt(database, { leadId, step: 'enrichLead', endedAgo: 7_200, ran: 0.5 });
    await storeFailed(database, { organizationId: 'org-123', leads: 2 });

    const { body } = await api.call<Activity>('GET', '/ops/activity');
    expect(body.minutes).toHaveLength(60);
    const gaps = body.minutes
      .slice(1)
      .map(({ at }, index) => Date.parse(at) - Date.parse(body.minutes[index]?.at ?? ''));
    expect(new Set(gaps)).toEqual(new Set([60_000]));
    const sum = (part: (minute: Activity['minutes'][number]) => number) =>
      body.minutes.map(part).reduce((total, count) => total + count, 0);
    expect({ scored: sum(({ scored }) => scored), failed: sum(({ failed }) => failed) }).toEqual({
      scored: 4,
      failed: 2,
    });
    expect(sum(({ created }) => created)).toBeGreaterThanOrEqual(1); // ids of the others are of no time
    const steps = body.minutes.flatMap((minute) => minute.steps);
    expect(steps).toEqual([
      { step: 'enrichLead', attempts: 1, p50: 0.5, p95: 0.5 },
      { step: 'scoreLead', attempts: 4, p50: 2, p95: 40 },
    ]);
    expect((await api.call<Activity>('GET', '/ops/activity?minutes=2')).body.minutes).toHaveLength(2);
    for (const minutes of ['0', '61', 'x'])
      expect(await api.call('GET', `/ops/activity?minutes=${minutes}`)).toMatchObject({
        status: 400,
        body: { errors: [{ path: 'minutes' }] },
      });
  });
});

describe('GET /ops/queues', () => {
  test('says how much was done, how long attempts waited, and how long they ran', async ({ api, database }) => {
    const { leadId } = await takeIn(database, {}, 600_000);
    const notify = { leadId, step: 'notifyAssignee', queue: 'notification' };
    for (const [index, ran] of [1, 2, 3].entries())
      await storeAttempt(database, { ...notify, endedAgo: index, ran, waited: ran * 2 });
    await storeAttempt(database, { ...notify, endedAgo: 600, ran: 4, waited: 8 });
    await storeAttempt(database, { ...notify, endedAgo: 600, ran: 0.1, outcome: 'failed' });
    await storeAttempt(database, { ...notify, endedAgo: 7_200, ran: 900 });
    const { body } = await api.call<{ queues: { queue: string; done: unknown; seconds: unknown }[] }>(
      'GET',
      '/ops/queues',
    );
    const of = (name: string) => body.queues.find(({ queue }) => queue === name);
    expect(of('notification')).toMatchObject({
      done: { minute: 3, hour: 4, day: 5 },
      seconds: { wait: { p50: 4, p95: 8, p99: 8 }, run: { p50: 2, p95: 4, p99: 4 } },
    });
    expect(of('webhook')).toMatchObject({ done: null, seconds: null });
  });
});

describe('GET /ops/leads/{id}', () => {
  test('tells each attempt, who gave which field, and each score, but nothing that was found', async ({
    api,
    database,
  }) => {
    const { leadId } = await takeIn(database, {}, 600_000);
    await storeAttempt(database, { leadId, step: 'enrichLead', endedAgo: 2, ran: 1, outcome: 'failed' });
    await storeAttempt(database, { leadId, step: 'enrichLead', endedAgo: 1, ran: 0.5 });
    const document = {
      outcome: 'partial',
      providers: [{ provider: 'crm', answer: 'stop', reason: 'http-503' }],
      fields: { city: { value: 'Hidden City', source: 'human', method: 'entered', confidence: 1 } },
    };
    await database.pool.query(
      'INSERT INTO lead_enrichment (lead_id, organization_id, document) VALUES ($1, $2, $3::jsonb)',
      [leadId, 'org-123', JSON.stringify(document)],
    );
    const lines = [{ rule: 'mailbox', points: 60, reason: { 'pt-BR': 'Oculto', en: 'Hidden' } }];
    const score = { id: randomUUID(), leadId, organizationId: 'org-123', ruleVersion: 1, score: 60, band: 'WARM' };
    await database.prisma.score.create({ data: { ...score, lines, cause: 'ONBOARDING' } });
    const { body, text } = await api.call<Record<string, unknown>>('GET', `/ops/leads/${leadId}`);
    expect(body).toMatchObject({
      attempts: [
        { step: 'enrichLead', outcome: 'failed', durationMs: 1_000 },
        { step: 'enrichLead', outcome: 'completed', durationMs: 500 },
      ],
      enrichment: {
        outcome: 'partial',
        providers: [{ provider: 'crm', answer: 'stop', reason: 'http-503' }],
        fields: [{ field: 'city', source: 'human', confidence: 1 }],
      },
      scores: [
        { score: 60, band: 'WARM', cause: 'ONBOARDING', ruleVersion: 1, lines: [{ rule: 'mailbox', points: 60 }] },
      ],
    });
    expect(text).not.toMatch(/Hidden|Oculto|João|example\.com/);
  });
});
