import { describe, expect, onTestFinished } from 'vitest';
import { openLease } from '../../src/db/lease.ts';
import { readStatistics } from '../../src/statistics/read-statistics.ts';
import { leadPriority } from '../../workflows/priorities.ts';
import { test as base } from '../support/api.ts';
import { storeFailed } from '../support/failures.ts';
import { recordLog } from '../support/log.ts';
import { takeIn } from '../support/onboarding.ts';
import { carrierTo } from '../support/relay.ts';
import { createTestClient } from '../support/temporal.ts';
import { startWorkers } from '../support/workers.ts';

interface Queue {
  queue: string;
  fresh: boolean;
  waiting: { tasks: number; byPriority: { priority: number; tasks: number; oldestSeconds: number }[] } | null;
  active: { slotsUsed: number; slots: number } | null;
  workers: { count: number; seen: { identity: string; lastSeenAt: string; slots: number }[] } | null;
  failed: { minute: number; hour: number; day: number } | null;
  limit: { perSecond: number; reason: string; by: string; since: string | null } | null | 'unknown';
}

const test = base.extend<{ queueOf: (name: string) => Promise<Queue> }>({
  queueOf: async ({ api, database: { pool } }, use) => {
    const client = createTestClient();
    const lease = openLease(pool, 'statistics');
    await use(async (name) => {
      await readStatistics({ pool, client, lease });
      const { body } = await api.call<{ queues: Queue[] }>('GET', '/ops/queues');
      return body.queues.find(({ queue }) => queue === name) ?? expect.fail(`No queue ${name}`);
    });
    await lease.release();
    await client.connection.close();
  },
});

describe('GET /ops/queues', () => {
  test('says what waits by priority, who works, and what failed', async ({ database, queueOf }) => {
    const client = createTestClient();
    const { log } = recordLog();
    const workers = await startWorkers(database, log, {}, ['lead-onboarding']);
    onTestFinished(async () => {
      await workers.stop();
      await client.connection.close();
    });
    const level = leadPriority({ organizationId: 'org-1', priority: 'CRITICAL' }).priorityKey;
    const waiting = async () =>
      (await queueOf('notification')).waiting?.byPriority.find(({ priority }) => priority === level)?.tasks ?? 0;
    const before = await waiting();
    const order = await takeIn(database, { priority: 'CRITICAL' }, 600_000);
    await carrierTo(client)(order);
    onTestFinished(async () => {
      await client.workflow.getHandle(`lead-onboarding-${order.leadId}`).terminate('the test is over');
    });
    await expect.poll(waiting).toBe(before + 1);
    await expect.poll(async () => (await queueOf('lead-onboarding')).workers?.seen.length).toBeGreaterThan(0);
    const deciding = await queueOf('lead-onboarding');
    expect(deciding).toMatchObject({ fresh: true, failed: null, limit: null });
    expect(deciding.workers?.seen[0]).toMatchObject({
      identity: expect.stringMatching(/\d+@/) as string,
      version: null,
    });

    await storeFailed(database, { organizationId: 'org-1', leads: 2 });
    await storeFailed(database, { organizationId: 'org-1', leads: 3 });
    await database.pool.query(
      `UPDATE onboarding_failure SET at = now() - interval '30 minutes'
       WHERE lead_id IN (SELECT lead_id FROM onboarding_failure LIMIT 2)`,
    );
    expect((await queueOf('lead')).failed).toEqual({ minute: 3, hour: 5, day: 5 });
    expect((await queueOf('notification')).failed).toEqual({ minute: 0, hour: 0, day: 0 });
  });
});

describe('POST /ops/queues/{name}/pause', () => {
  test('lets no task out until it is resumed, tells who and why, and tells Temporal neither', async ({
    api,
    database,
    queueOf,
    onboard,
  }) => {
    const reason = 'Maria asked: her CRM is down';
    const headers = { 'x-actor-id': 'ops-ana' };
    const call = (command: string) => api.call('POST', `/ops/queues/notification/${command}`, { reason }, headers);
    onTestFinished(async () => void (await call('resume')));
    expect(await call('pause')).toMatchObject({
      status: 200,
      body: { limit: { perSecond: 0, reason, by: 'operator' } },
    });
    expect((await queueOf('notification')).limit).toMatchObject({
      perSecond: 0,
      reason,
      since: expect.any(String) as string,
    });
    expect((await queueOf('lead')).limit).toBeNull();

    const onboarding = await onboard();
    const { leadId, handle } = onboarding;
    const timeline = () => onboarding.timeline();
    await expect.poll(timeline).toContain('score.calculated'); // nothing waits for the notification
    expect(await timeline()).not.toContain('notification.created');
    const client = createTestClient();
    onTestFinished(() => client.connection.close());
    const described = await client.workflowService.describeTaskQueue({
      namespace: client.options.namespace,
      taskQueue: { name: 'notification' },
      taskQueueType: 2,
      reportConfig: true,
    });
    expect(JSON.stringify(described.config)).not.toMatch(/Maria|ana/);

    const slowed = await api.call('POST', '/ops/queues/notification/rate', { reason, perSecond: 2.5 });
    expect(slowed).toMatchObject({ status: 200, body: { limit: { perSecond: 2.5, reason } } });
    await expect.poll(async () => (await queueOf('notification')).limit).toMatchObject({ perSecond: 2.5 });
    await expect.poll(timeline).toContain('notification.created');
    await handle.result();
    expect(await call('resume')).toMatchObject({ status: 200, body: { limit: null } });
    expect((await api.call<{ state: string }>('GET', `/ops/leads/${leadId}`)).body).toMatchObject({
      state: 'COMPLETED',
      entries: expect.arrayContaining([expect.objectContaining({ type: 'score.calculated', attempt: 1 })]) as unknown[],
    });

    const { text } = await api.call<string>('GET', '/ops/audit');
    const actions = text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(actions.map(({ action }) => action)).toEqual(['queue.pause', 'queue.rate', 'queue.resume']);
    expect(actions[1]).toMatchObject({ data: { perSecond: 2.5 } });
    expect(actions[0]).toMatchObject({ subject: 'notification', reason, caller: { userId: 'ops-ana', keyId: null } });
    expect(await database.prisma.operatorAction.count()).toBe(3);
  });

  test.for(['lead-onboarding', 'nothing'])('is refused for %s', async (name, { api }) => {
    const answer = await api.call('POST', `/ops/queues/${name}/pause`, { reason: 'test' });
    expect(answer).toMatchObject({ status: 400, body: { errors: [{ path: 'name' }] } });
  });

  test.for([0, -1, 100_001, '5', null])('is refused for %j tasks a second', async (perSecond, { api }) => {
    const answer = await api.call('POST', '/ops/queues/notification/rate', { reason: 'test', perSecond });
    expect(answer).toMatchObject({ status: 400, body: { errors: [{ path: 'perSecond' }] } });
  });
});
