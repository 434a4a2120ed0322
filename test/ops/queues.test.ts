import { status } from '@grpc/grpc-js';
import { describe, expect, inject, onTestFinished } from 'vitest';
import { openLease } from '../../src/db/lease.ts';
import { freePort } from '../../src/local/ports.ts';
import { readStatistics } from '../../src/statistics/read-statistics.ts';
import { createClient } from '../../src/temporal/connection.ts';
import { leadPriority } from '../../workflows/priorities.ts';
import { createTestApi, test as base, type TestApi, type TestApiOptions } from '../support/api.ts';
import type { TestDatabase } from '../support/database.ts';
import { storeFailed } from '../support/failures.ts';
import { recordLog } from '../support/log.ts';
import { takeIn } from '../support/onboarding.ts';
import { startRefusingFront } from '../support/refusing-front.ts';
import { carrierTo } from '../support/relay.ts';
import { startTcpProxy } from '../support/tcp-proxy.ts';
import { createTestClient, testNamespace } from '../support/temporal.ts';
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

const REASON = { reason: 'The CRM is slow' };

/** An API until the test ends; the queue gives out all again then. */
function apiWith(database: TestDatabase, options: TestApiOptions): TestApi {
  const api = createTestApi(database, options);
  onTestFinished(async () => {
    await api.close();
    const whole = createTestApi(database);
    await whole.call('POST', '/ops/queues/notification/resume', REASON);
    await whole.close();
  });
  return api;
}

/** The same with a Temporal at this port. */
const apiAt = (database: TestDatabase, port: number): TestApi =>
  apiWith(database, {
    client: createClient({ connectionOptions: { address: `127.0.0.1:${port}` }, namespace: testNamespace() }),
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

describe('the audit of a queue that is to be paused', () => {
  const paused = { action: 'queue.pause', ...REASON };
  const unknown = { action: 'queue.unknown', reason: 'Temporal did not answer, and may have taken it' };
  const unchanged = { action: 'queue.unchanged', reason: 'Temporal did not take it' };

  /** Pauses it. @returns what came of it */
  async function pause(api: TestApi, { prisma }: TestDatabase) {
    await prisma.operatorAction.deleteMany();
    const { status } = await api.call('POST', '/ops/queues/notification/pause', REASON);
    const select = { action: true, reason: true };
    return { status, audit: await prisma.operatorAction.findMany({ orderBy: { id: 'asc' }, select }) };
  }

  test('says that nobody knows when Temporal takes it and its answer is lost', async ({ database, queueOf }) => {
    const proxy = await startTcpProxy(Number(inject('temporalAddress').split(':')[1]));
    onTestFinished(() => proxy.close());
    const api = apiAt(database, proxy.port);
    await expect.poll(() => api.call('GET', '/readyz')).toMatchObject({ body: { temporal: 'reachable' } });
    proxy.muteAnswers(true);
    expect(await pause(api, database)).toEqual({ status: 503, audit: [paused, unknown] });
    await expect.poll(async () => (await queueOf('notification')).limit).toMatchObject({ perSecond: 0 });
  });

  test('says so as well when nobody listens', async ({ database }) => {
    const api = apiAt(database, await freePort());
    expect(await pause(api, database)).toEqual({ status: 503, audit: [paused, unknown] });
  });

  // What follows is tried again where a busy machine took longer to answer than a call may.
  test.for([
    ['PERMISSION_DENIED', 503],
    ['UNIMPLEMENTED', 409],
  ] as const)('says that it was refused when Temporal says %s', async ([name, answer], { database }) => {
    const front = await startRefusingFront(inject('temporalAddress'), 'UpdateTaskQueueConfig', status[name]);
    onTestFinished(() => front.close());
    const api = apiAt(database, front.port);
    await expect.poll(() => pause(api, database)).toEqual({ status: answer, audit: [paused, unchanged] });
  });

  test('says nothing else when Temporal took it, though Postgres cannot be read afterwards', async ({ database }) => {
    const findUnique = () => Promise.reject(new Error('by the test'));
    const prisma = database.prisma.$extends({ query: { operatorAction: { findUnique } } }) as TestDatabase['prisma'];
    const api = apiWith(database, { own: { pool: database.pool, prisma } });
    await expect.poll(() => pause(api, database)).toEqual({ status: 200, audit: [paused] });
  });
});
