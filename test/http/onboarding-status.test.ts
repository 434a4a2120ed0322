import { randomUUID } from 'node:crypto';
import { ApplicationFailure } from '@temporalio/activity';
import { describe, expect } from 'vitest';
import type { onboardingStatus } from '../../src/onboarding/status.ts';
import { createTestApi, testWithoutStarts as test, type TestApi } from '../support/api.ts';
import { takeIn } from '../support/onboarding.ts';
import { expectProblem } from '../support/problem.ts';
import { createClientOfNobody, testNamespace } from '../support/temporal.ts';

const FAR_AWAY_MS = 600_000;

type Status = Awaited<ReturnType<typeof onboardingStatus>>;

const statusOf = async (api: TestApi, leadId: string) => {
  const { status, body } = await api.call<Status>('GET', `/api/leads/${leadId}/onboarding`);
  expect(status).toBe(200);
  return body;
};

const waiting = { state: 'waiting', attempts: 0, lastError: null, at: null };
const completed = { state: 'completed', attempts: 1, lastError: null, at: expect.stringMatching(/Z$/) as string };

const alwaysFails = (type: string) => () => Promise.reject(ApplicationFailure.nonRetryable('by the test', type));

describe('GET /api/leads/{id}/onboarding', () => {
  test('says before there is a run that all waits', async ({ api, database }) => {
    const { leadId } = await takeIn(database);
    expect(await statusOf(api, leadId)).toEqual({
      state: 'PENDING',
      round: 1,
      workflowId: `lead-onboarding-${leadId}`,
      temporalUrl: `http://127.0.0.1:8233/namespaces/${testNamespace()}/workflows/lead-onboarding-${leadId}`,
      temporal: 'no-run',
      steps: [
        { name: 'notify', ...waiting },
        { name: 'enrich', ...waiting },
        { name: 'score', ...waiting },
      ],
    });
  });

  test('tells what is done and what waits during the delay', async ({ api, onboard }) => {
    const { leadId } = await onboard({ delayMs: FAR_AWAY_MS });
    await expect
      .poll(() => statusOf(api, leadId))
      .toMatchObject({
        state: 'RUNNING',
        temporal: 'reachable',
        steps: [
          { name: 'notify', ...completed },
          { name: 'enrich', ...waiting },
          { name: 'score', ...waiting },
        ],
      });
  });

  test('tells of each step of a completed onboarding when it was done', async ({ api, onboard }) => {
    const run = await onboard();
    await run.handle.result();
    const status = await statusOf(api, run.leadId);
    expect(status).toMatchObject({
      state: 'COMPLETED',
      round: 1,
      temporal: 'reachable',
      steps: [
        { name: 'notify', ...completed },
        { name: 'enrich', ...completed },
        { name: 'score', ...completed },
      ],
    });
    const times = status.steps.map(({ at }) => at ?? '');
    expect(times).toEqual([...times].sort());
  });

  test('is found by an id in capitals', async ({ api, onboard }) => {
    const run = await onboard();
    await run.handle.result();
    expect(await statusOf(api, run.leadId.toUpperCase())).toEqual(await statusOf(api, run.leadId));
  });

  test('shows how often a failing step was tried, and its last error', async ({ api, onboard }) => {
    const enrichLead = () => Promise.reject(new TypeError('by the test'));
    const { leadId } = await onboard({ activities: { enrichLead } });
    const attempts = async () => (await statusOf(api, leadId)).steps[1]?.attempts;
    await expect.poll(attempts).toBeGreaterThanOrEqual(3);
    const { state, steps } = await statusOf(api, leadId);
    expect(state).toBe('RUNNING');
    expect(steps[1]).toMatchObject({
      name: 'enrich',
      state: 'running',
      lastError: { type: 'TypeError', message: expect.stringContaining('TypeError') as string },
      at: null,
    });
    expect(steps[2]).toEqual({ name: 'score', ...waiting });
  });

  test('counts the attempts of a step that went well in the end', async ({ api, onboard, database }) => {
    const { createNotificationActivities } = await import('../../activities/notification.ts');
    const real = createNotificationActivities(database);
    let failures = 1;
    const run = await onboard({
      activities: {
        notifyAssignee: (ref) => (failures-- > 0 ? Promise.reject(new Error('by the test')) : real.notifyAssignee(ref)),
      },
    });
    await run.handle.result();
    expect((await statusOf(api, run.leadId)).steps[0]).toEqual({ name: 'notify', ...completed, attempts: 2 });
  });

  test('tells why steps gave up', async ({ api, onboard }) => {
    const run = await onboard({
      activities: { notifyAssignee: alwaysFails('InboxGone'), enrichLead: alwaysFails('ProviderDown') },
    });
    await run.handle.result();
    expect(await statusOf(api, run.leadId)).toMatchObject({
      state: 'PARTIAL',
      steps: [
        { name: 'notify', state: 'failed', attempts: null, lastError: { type: 'InboxGone', message: 'InboxGone' } },
        { name: 'enrich', state: 'partial', attempts: null, lastError: { type: 'ProviderDown' } },
        { name: 'score', state: 'completed' },
      ],
    });
  });

  test('tells that nobody was to be notified', async ({ api, onboard }) => {
    const run = await onboard({ lead: { assignedTo: null } });
    await run.handle.result();
    expect(await statusOf(api, run.leadId)).toMatchObject({
      state: 'COMPLETED',
      steps: [{ name: 'notify', state: 'skipped', attempts: null }, {}, {}],
    });
  });

  test('answers what Postgres knows while Temporal is out of reach', async ({ database, onboard }) => {
    const run = await onboard();
    await run.handle.result();
    const nobody = await createClientOfNobody();
    const api = createTestApi(database, { client: nobody });
    expect(await statusOf(api, run.leadId)).toMatchObject({
      state: 'COMPLETED',
      temporal: 'unreachable',
      steps: [completed, completed, completed],
    });
    await api.close();
  });

  test('answers 404 for a lead that there is not', async ({ api }) => {
    expectProblem(await api.call('GET', `/api/leads/${randomUUID()}/onboarding`), 404, 'not-found');
  });
});
