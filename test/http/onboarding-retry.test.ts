import { ApplicationFailure } from '@temporalio/activity';
import { describe, expect } from 'vitest';
import { createLeadActivities } from '../../activities/lead.ts';
import { builtInProviders } from '../../src/enrichment/built-in.ts';
import { test, type TestApi } from '../support/api.ts';
import type { TestDatabase } from '../support/database.ts';
import { recordLog } from '../support/log.ts';
import { takeIn } from '../support/onboarding.ts';
import { expectProblem } from '../support/problem.ts';
import { carrierTo, relayOnce } from '../support/relay.ts';
import { createTestClient } from '../support/temporal.ts';

const FAR_AWAY_MS = 600_000;

const retry = (api: TestApi, leadId: string) => api.call('POST', `/api/leads/${leadId}/onboarding/retry`);

const leadOf = ({ prisma }: TestDatabase, id: string) => prisma.lead.findUniqueOrThrow({ where: { id } });

const byTheTest = (type: string) => ApplicationFailure.nonRetryable('by the test', type);

/** The real enrichment, which fails for good while `broken` says so. */
function breakable(database: TestDatabase) {
  const real = createLeadActivities({ ...database, providers: builtInProviders });
  const state = { broken: true };
  return {
    ...real,
    state,
    fail: async <T>(type: string, run: () => Promise<T>) => (state.broken ? Promise.reject(byTheTest(type)) : run()),
  };
}

describe('POST /api/leads/{id}/onboarding/retry', () => {
  test('onboards a canceled lead again, without a second notification', async ({ api, onboard, database }) => {
    const run = await onboard({ delayMs: FAR_AWAY_MS });
    await expect.poll(() => run.timeline()).toContain('notification.created');
    await api.call('POST', `/api/leads/${run.leadId}/onboarding/cancel`);
    await expect(run.handle.result()).rejects.toThrow();

    const answer = await retry(api, run.leadId);
    expect(answer).toMatchObject({ status: 202, body: { command: 'retry', state: 'PENDING' } });
    await expect
      .poll(() => leadOf(database, run.leadId))
      .toMatchObject({ onboardingState: 'COMPLETED', onboardingRound: 2, score: 85 });
    expect(await database.prisma.notification.count({ where: { leadId: run.leadId } })).toBe(1);
    expect((await run.timeline()).slice(3)).toEqual([
      'command.accepted',
      'onboarding.canceled',
      'command.accepted',
      'onboarding.started',
      'notification.skipped',
      'enrichment.started',
      'enrichment.completed',
      'score.calculated',
      'onboarding.completed',
    ]);
  });

  test('enriches a partial lead after all, scores it anew, and tells the steps of the new round', async ({
    api,
    onboard,
    database,
  }) => {
    const { state, fail, enrichLead } = breakable(database);
    const run = await onboard({ activities: { enrichLead: (ref) => fail('ProviderDown', () => enrichLead(ref)) } });
    expect(await run.handle.result()).toMatchObject({ state: 'PARTIAL', score: 45 });

    state.broken = false;
    expect((await retry(api, run.leadId)).status).toBe(202);
    await expect.poll(() => leadOf(database, run.leadId)).toMatchObject({ onboardingState: 'COMPLETED', score: 85 });
    expect(await database.prisma.notification.count({ where: { leadId: run.leadId } })).toBe(1);
    expect((await api.call('GET', `/api/leads/${run.leadId}/onboarding`)).body).toMatchObject({
      state: 'COMPLETED',
      round: 2,
      steps: [{ state: 'skipped' }, { name: 'enrich', state: 'completed', lastError: null }, { state: 'completed' }],
    });
  });

  test('onboards a failed lead again', async ({ api, onboard, database }) => {
    const { state, fail, scoreLead } = breakable(database);
    const run = await onboard({ activities: { scoreLead: (input) => fail('RulesBroken', () => scoreLead(input)) } });
    await expect(run.handle.result()).rejects.toThrow();
    expect(await leadOf(database, run.leadId)).toMatchObject({ onboardingState: 'FAILED' });

    state.broken = false;
    expect((await retry(api, run.leadId)).status).toBe(202);
    await expect
      .poll(() => leadOf(database, run.leadId))
      .toMatchObject({ onboardingState: 'COMPLETED', onboardingRound: 2 });
  });

  test('can follow a retry that did not help', async ({ api, onboard, database }) => {
    const { fail, enrichLead } = breakable(database);
    const run = await onboard({ activities: { enrichLead: (ref) => fail('ProviderDown', () => enrichLead(ref)) } });
    await run.handle.result();
    for (const round of [2, 3]) {
      expect((await retry(api, run.leadId)).status).toBe(202);
      await expect
        .poll(() => leadOf(database, run.leadId))
        .toMatchObject({ onboardingState: 'PARTIAL', onboardingRound: round });
      await expect.poll(() => run.handle.describe().then(({ status }) => status.name)).toBe('COMPLETED');
    }
  });

  test('is taken once of several at the same moment', async ({ api, database }) => {
    const { leadId } = await takeIn(database);
    await database.prisma.onboarding.update({ where: { leadId: leadId }, data: { state: 'PARTIAL' } });
    const answers = await Promise.all([1, 2, 3, 4].map(() => retry(api, leadId)));
    expect(answers.map(({ status }) => status).sort()).toEqual([202, 409, 409, 409]);
    for (const answer of answers.filter(({ status }) => status === 409)) expectProblem(answer, 409, 'conflict');
    expect(await leadOf(database, leadId)).toMatchObject({ onboardingState: 'PENDING', onboardingRound: 2 });
  });

  test('waits for the run of the round before, which is just ending', async ({ api, onboard, database }) => {
    await database.prisma.outbox.deleteMany();
    const run = await onboard({ delayMs: FAR_AWAY_MS });
    await expect.poll(() => run.timeline()).toContain('notification.created');
    await database.prisma.outbox.deleteMany();
    await database.prisma.onboarding.update({ where: { leadId: run.leadId }, data: { state: 'CANCELED' } });
    expect((await retry(api, run.leadId)).status).toBe(202);
    await api.idle();
    expect(await database.prisma.outbox.findMany()).toMatchObject([
      { kind: 'START_ONBOARDING', payload: { round: 2 }, lastError: 'Error' },
    ]);

    await run.handle.terminate('by the test');
    const client = createTestClient();
    const { log } = recordLog();
    await database.pool.query("UPDATE outbox SET available_at = now() - interval '1 second'");
    await relayOnce({ pool: database.pool, log, carryOut: carrierTo(client) });
    await client.connection.close();
    await expect
      .poll(() => leadOf(database, run.leadId))
      .toMatchObject({ onboardingState: 'COMPLETED', onboardingRound: 2 });
  });
});
