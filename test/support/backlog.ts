import { randomUUID } from 'node:crypto';
import { expect, onTestFinished } from 'vitest';
import type { Submission } from '../../src/leads/submission.ts';
import { RETENTION } from '../../workflows/retention-contract.ts';
import { lastPriority } from '../../workflows/priorities.ts';
import { TASK_QUEUES, type TaskQueue } from '../../workflows/contract.ts';
import type { TestDatabase } from './database.ts';
import { recordLog } from './log.ts';
import { takeIn } from './onboarding.ts';
import { PATIENCE_MS } from './patience.ts';
import { carrierTo } from './relay.ts';
import { createTestClient, testNamespace } from './temporal.ts';
import { startWorkers } from './workers.ts';

/** Leads that wait in each queue before the others come. */
export const BACKLOG = 500;
const FEW = 5;
const ALL = BACKLOG + 2 * FEW;
/** The places within which critical leads are done. */
const WITHIN = 20;
const ACTIVITY = 2; // temporal.api.enums.v1.TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY
/** Of so many steps, one after the other. */
const PATIENTLY = { timeout: 3 * PATIENCE_MS };

const { log } = recordLog();

/** What each queue has done, in order: the kind of work, and whose it was. */
type Done = { work: string; whose: string }[];

/**
 * Lets a backlog build up in each queue, of one organization, then of another one and of critical leads, with a rescore
 * and a retention before all of them, and one slot work it off.
 * @returns the places, from 1 on, at which each kind of lead had its last step
 */
export async function orderOfBacklog(database: TestDatabase, namespace = testNamespace()) {
  const client = createTestClient(namespace);
  const carry = carrierTo(client);
  const whose = new Map<string, string>();
  const start = async (name: string, count: number, lead: Partial<Submission>) => {
    const orders = await Promise.all(Array.from({ length: count }, () => takeIn(database, lead, 1)));
    for (const { leadId } of orders) whose.set(leadId, name);
    for (const order of orders) await carry(order);
  };
  const done: Record<'notification' | 'lead', Done> = { notification: [], lead: [] };
  const note = (queue: 'notification' | 'lead', work: string, leadId: string) =>
    void done[queue].push({ work, whose: whose.get(leadId) ?? 'nobody' });
  const stoppers: (() => Promise<void>)[] = [];
  onTestFinished(async () => {
    await Promise.all(stoppers.map((stop) => stop()));
    await client.connection.close();
  });
  const work = async (queues: readonly TaskQueue[]) => {
    const workers = await startWorkers(
      database,
      log,
      {
        notifyAssignee: ({ leadId }) => {
          note('notification', 'notify', leadId);
          return Promise.resolve({ outcome: 'created' });
        },
        enrichLead: ({ leadId }) => {
          note('lead', 'enrich', leadId);
          return Promise.resolve({ outcome: 'completed' });
        },
        scoreLead: ({ leadId, notification }) => {
          note('lead', 'score', leadId);
          // A run that is over would take its notification with it.
          const state = notification.outcome === 'pending' ? 'RUNNING' : 'COMPLETED';
          return Promise.resolve({ score: 50, band: 'WARM', state });
        },
        closeOnboarding: () => Promise.resolve({ state: 'COMPLETED' }),
        rescorePage: () => {
          note('lead', 'rescore', '');
          return Promise.resolve({ pages: 1, next: 'end' });
        },
        findExpiredLeads: () => {
          note('lead', 'retention', '');
          return Promise.resolve({ leadIds: [] });
        },
      },
      queues,
      undefined,
      { settings: { NOTIFICATION_CONCURRENCY: '1', LEAD_CONCURRENCY: '1' }, namespace },
    );
    stoppers.push(() => workers.stop());
  };
  const backlogOf = async (name: TaskQueue) => {
    const { stats } = await client.workflowService.describeTaskQueue({
      namespace: client.options.namespace,
      taskQueue: { name },
      taskQueueType: ACTIVITY,
      reportStats: true,
    });
    return Number(stats?.approximateBacklogCount ?? 0);
  };

  // What has time is ordered first of all.
  const rescore = { id: randomUUID(), leadId: null, organizationId: 'A', kind: 'RESCORE_LEADS' as const };
  await carry({ ...rescore, payload: { rescoreId: randomUUID(), requestId: 'request-1' } });
  await client.workflow.start(RETENTION, {
    taskQueue: TASK_QUEUES.onboarding,
    workflowId: `retention-${randomUUID()}`,
    args: [{ retentionDays: 1, pageSize: 1, pagesPerRun: 1 }],
    priority: lastPriority('retention'),
  });
  await start('A', BACKLOG, { organizationId: 'A' });
  await start('B', FEW, { organizationId: 'B' });
  await start('critical', FEW, { organizationId: 'A', priority: 'CRITICAL' });

  await work([TASK_QUEUES.onboarding]);
  await expect.poll(() => backlogOf(TASK_QUEUES.notification), PATIENTLY).toBe(ALL);
  await expect.poll(() => backlogOf(TASK_QUEUES.lead), PATIENTLY).toBe(ALL + 2);
  await work([TASK_QUEUES.notification, TASK_QUEUES.lead]);
  await expect.poll(() => [done.notification.length, done.lead.length], PATIENTLY).toEqual([ALL, 2 * ALL + 2]);

  /** The places, from 1 on, at which something was done in its queue. */
  const places = (queue: Done, kind: string, name: string) =>
    queue.flatMap(({ work, whose }, index) => (work === kind && whose === name ? [index + 1] : []));
  const last = (queue: Done, kind: string, name: string) => Math.max(...places(queue, kind, name));
  return {
    'critical notified': last(done.notification, 'notify', 'critical'),
    'critical enriched': last(done.lead, 'enrich', 'critical'),
    'critical scored': last(done.lead, 'score', 'critical'),
    'B notified': last(done.notification, 'notify', 'B'),
    'B enriched': last(done.lead, 'enrich', 'B'),
    'B scored': last(done.lead, 'score', 'B'),
    'first of A scored': Math.min(...places(done.lead, 'score', 'A')),
    'enriched after rescore or retention': done.lead
      .slice(done.lead.findIndex(({ whose }) => whose === 'nobody'))
      .filter(({ work }) => work === 'enrich').length,
  };
}

/** Holds what is promised of a queue with one partition. */
export function expectOrder(order: Awaited<ReturnType<typeof orderOfBacklog>>): void {
  for (const name of ['critical notified', 'critical enriched', 'critical scored'] as const)
    expect(order[name], name).toBeLessThanOrEqual(WITHIN);
  expect(order['B notified']).toBeLessThanOrEqual(ALL / 10);
  expect(order['B enriched']).toBeLessThanOrEqual((2 * ALL) / 10);
  expect(order['B scored']).toBeLessThanOrEqual((2 * ALL) / 10);
  // All enrichments wait from the beginning on; the last scores are ordered only when the queue is empty but for the two.
  expect(order['enriched after rescore or retention']).toBe(0);
}
