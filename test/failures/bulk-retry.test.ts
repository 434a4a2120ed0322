import { describe, expect, onTestFinished } from 'vitest';
import { retryPage } from '../../src/failures/retry-page.ts';
import { onboardingWorkflowId } from '../../workflows/contract.ts';
import { bulkRetryWorkflowId } from '../../workflows/retry-contract.ts';
import { createTestApi } from '../support/api.ts';
import { testOfRuns } from '../support/durable-runs.ts';
import { storeFailed } from '../support/failures.ts';
import { recordLog } from '../support/log.ts';
import { carrierTo, relayOnce } from '../support/relay.ts';
import { createTestClient, historyText, replay } from '../support/temporal.ts';

interface Progress {
  id: string;
  state: string;
  total: number;
  outcomes: Record<string, number>;
  finishedAt: string | null;
}

const client = createTestClient();
const { log } = recordLog();
const REASON = { reason: 'The CRM is back' };

/** Each test has an organization of its own, and one retry is under way at a time in all of them. */
let organizations = 0;

const test = testOfRuns(bulkRetryWorkflowId).extend<{ organizationId: string }>({
  organizationId: async ({ database }, use) => {
    organizations += 1;
    await use(`org-${organizations}`);
    await database.pool.query('UPDATE bulk_retry SET finished_at = now() WHERE finished_at IS NULL');
  },
});

describe('a bulk retry', () => {
  test('retries each lead of its filter once, after all others, and has an outcome for each', async ({
    api,
    database,
    organizationId,
    work,
    runs,
  }) => {
    const ids = await storeFailed(database, { organizationId, leads: 12, step: 'enrich', errorType: 'crm:http-503' });
    await storeFailed(database, { organizationId, leads: 3 });
    const filter = { step: 'enrich', organizationId };
    const dryRun = await api.call('POST', '/ops/retries', { filter });
    expect(dryRun.body).toMatchObject({ dryRun: true, leads: 12 });
    const [erased = '', done = ''] = ids;
    const started = await api.call<Progress>('POST', '/ops/retries', {
      filter,
      dryRun: false,
      ...REASON,
      perSecond: 50,
    });
    expect(started.status).toBe(202);
    const { id } = started.body;
    expect(started.body).toMatchObject({ state: 'RUNNING', total: 12, outcomes: { WAITING: 12 }, finishedAt: null });
    await database.prisma.leadRecord.delete({ where: { id: erased } });
    await database.prisma.onboarding.update({ where: { leadId: done }, data: { round: 2, state: 'COMPLETED' } });

    await work();
    const relay = setInterval(() => void relayOnce({ pool: database.pool, log, carryOut: carrierTo(client) }), 200);
    onTestFinished(() => clearInterval(relay));
    const read = async () => (await api.call<Progress>('GET', `/ops/retries/${id}`)).body;
    await expect.poll(async () => (await read()).state, { interval: 100 }).toBe('COMPLETED');
    expect(await read()).toMatchObject({ outcomes: { COMPLETED: 10, SKIPPED: 2, WAITING: 0, UNDER_WAY: 0 } });
    const { text } = await api.call<string>('GET', `/ops/retries/${id}/leads?outcome=SKIPPED`);
    const skipped = text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { leadId: string; reason: string });
    expect(Object.fromEntries(skipped.map(({ leadId, reason }) => [leadId, reason]))).toEqual({
      [erased]: 'lead-erased',
      [done]: 'retried-meanwhile',
    });
    const commands = await database.prisma.leadEvent.groupBy({
      by: ['leadId'],
      where: { leadId: { in: ids }, type: 'command.accepted' },
      _count: true,
    });
    expect(commands.map(({ _count }) => _count)).toEqual(Array.from({ length: 10 }, () => 1));
    await runs(id).result();
    expect(await historyText(runs(id))).not.toMatch(/CRM is back|Hidden/);

    const onboarding = client.workflow.getHandle(onboardingWorkflowId(ids[2] ?? ''));
    const scheduled = (await onboarding.fetchHistory()).events?.flatMap(
      ({ activityTaskScheduledEventAttributes: task }) => (task ? [task.priority?.priorityKey] : []),
    );
    expect(new Set(scheduled)).toEqual(new Set([5])); // three of them, or one more for a notification that was late
    await replay(onboarding);
  });

  test('waits while it is paused, goes on when it is resumed, and is the only one meanwhile', async ({
    api,
    database,
    organizationId,
    work,
    runs,
  }) => {
    await storeFailed(database, { organizationId, leads: 4 });
    const start = () =>
      api.call<Progress>('POST', '/ops/retries', { filter: { organizationId }, dryRun: false, ...REASON });
    const { id } = (await start()).body;
    expect(await start()).toMatchObject({ status: 409, body: { detail: expect.stringContaining(id) as string } });
    const command = (name: string) => api.call<Progress>('POST', `/ops/retries/${id}/${name}`, REASON);
    expect((await command('pause')).body).toMatchObject({ state: 'PAUSED' });
    await work();
    await expect.poll(() => historyText(runs(id))).toContain('"next":"wait"');
    expect((await api.call('GET', `/ops/retries/${id}`)).body).toMatchObject({ outcomes: { WAITING: 4 } });
    expect((await command('resume')).body).toMatchObject({ state: 'RUNNING' });
    const outcomes = async () => (await api.call<Progress>('GET', `/ops/retries/${id}`)).body.outcomes;
    await expect.poll(async () => (await outcomes())['UNDER_WAY']).toBe(4);
    expect((await command('cancel')).body).toMatchObject({ state: 'CANCELED', finishedAt: null });
    expect(await command('resume')).toMatchObject({ status: 409 });
    await database.pool.query(`UPDATE onboarding SET state = 'COMPLETED' WHERE organization_id = $1`, [organizationId]);
    await runs(id).result();
    expect(await outcomes()).toMatchObject({ COMPLETED: 4, UNDER_WAY: 0 });

    const { text } = await api.call<string>('GET', '/ops/audit');
    const actions = text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { action: string; subject: string });
    expect(actions.filter(({ subject }) => subject === id).map(({ action }) => action)).toEqual([
      'retry.started',
      'retry.paused',
      'retry.resumed',
      'retry.canceled',
    ]);
  });

  test('notes what becomes of the leads under way while it is paused', async ({
    api,
    database,
    organizationId,
    work,
    runs,
  }) => {
    await storeFailed(database, { organizationId, leads: 4 });
    const order = { filter: { organizationId }, dryRun: false, ...REASON };
    const { id } = (await api.call<Progress>('POST', '/ops/retries', order)).body;
    const read = async () => (await api.call<Progress>('GET', `/ops/retries/${id}`)).body;
    await work();
    await expect.poll(async () => (await read()).outcomes['UNDER_WAY']).toBe(4);
    await api.call('POST', `/ops/retries/${id}/pause`, REASON);
    const pages = async () => {
      const { events } = await runs(id).fetchHistory();
      return events?.filter((event) => event.activityTaskCompletedEventAttributes).length ?? 0;
    };
    const before = await pages();
    await expect.poll(pages).toBeGreaterThan(before); // that of the pause itself at the latest
    await database.pool.query(`UPDATE onboarding SET state = 'COMPLETED' WHERE organization_id = $1`, [organizationId]);
    await expect.poll(read).toMatchObject({ state: 'PAUSED', outcomes: { COMPLETED: 4, UNDER_WAY: 0 } });
    await api.call('POST', `/ops/retries/${id}/resume`, REASON);
    await runs(id).result();
    expect(await read()).toMatchObject({ state: 'COMPLETED' });
  });

  test('retries no lead twice, however many run its page at once', async ({ database, organizationId }) => {
    const api = createTestApi(database, { slots: 0 });
    onTestFinished(() => api.close());
    await storeFailed(database, { organizationId, leads: 20 });
    const sent = { filter: { organizationId }, dryRun: false, ...REASON, perSecond: 50 };
    const { id } = (await api.call<Progress>('POST', '/ops/retries', sent)).body;
    const page = () =>
      retryPage({ ...database, signal: new AbortController().signal }, { retryId: id, requestId: 'request-1' });
    await Promise.all([page(), page(), page()]);
    const { rows } = await database.pool.query(
      `SELECT count(*)::int AS orders, count(DISTINCT lead_id)::int AS leads FROM outbox
       WHERE organization_id = $1 AND kind = 'START_ONBOARDING'`,
      [organizationId],
    );
    expect(rows).toEqual([{ orders: 20, leads: 20 }]);
    expect((await api.call('GET', `/ops/retries/${id}`)).body).toMatchObject({ outcomes: { UNDER_WAY: 20 } });
  });

  test('is refused without a reason', async ({ api, organizationId }) => {
    const answer = await api.call('POST', '/ops/retries', { filter: { organizationId }, dryRun: false });
    expect(answer).toMatchObject({ status: 400, body: { errors: [{ path: 'reason' }] } });
  });
});
