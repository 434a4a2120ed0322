import { randomUUID } from 'node:crypto';
import { expect, onTestFinished } from 'vitest';
import type { Submission } from '../../src/leads/submission.ts';
import { RETENTION } from '../../workflows/retention-contract.ts';
import { lastPriority } from '../../workflows/priorities.ts';
import { TASK_QUEUES, type TaskQueue } from '../../workflows/contract.ts';
import { recordLog } from '../support/log.ts';
import { takeIn, test } from '../support/onboarding.ts';
import { carrierTo } from '../support/relay.ts';
import { createTestClient } from '../support/temporal.ts';
import { startWorkers } from '../support/workers.ts';

/** Leads that wait in each queue before the others come. */
const BACKLOG = 500;
const FEW = 5;
const WITHIN = 20;
const ACTIVITY = 2; // temporal.api.enums.v1.TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY

const { log } = recordLog();

/** What each queue has done, in order: the kind of work, and whose it was. */
type Done = { work: string; whose: string }[];

test(`in a backlog of ${BACKLOG} a critical lead goes first, organizations take turns, and what has time comes last`, async ({
  database,
}) => {
  const client = createTestClient();
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
      { slots: 1 },
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
  const all = BACKLOG + 2 * FEW;

  await work([TASK_QUEUES.onboarding]);
  await expect.poll(() => backlogOf(TASK_QUEUES.notification)).toBe(all);
  await expect.poll(() => backlogOf(TASK_QUEUES.lead)).toBe(all + 2);
  await work([TASK_QUEUES.notification, TASK_QUEUES.lead]);
  await expect.poll(() => [done.notification.length, done.lead.length]).toEqual([all, 2 * all + 2]);

  /** The places, from 1 on, at which something was done in its queue. */
  const places = (queue: Done, kind: string, name: string) =>
    queue.flatMap(({ work, whose }, index) => (work === kind && whose === name ? [index + 1] : []));
  const last = (queue: Done, kind: string, name: string) => Math.max(...places(queue, kind, name));
  const figures = {
    'critical notified': last(done.notification, 'notify', 'critical'),
    'critical enriched': last(done.lead, 'enrich', 'critical'),
    'critical scored': last(done.lead, 'score', 'critical'),
    'B notified': last(done.notification, 'notify', 'B'),
    'B enriched': last(done.lead, 'enrich', 'B'),
    'B scored': last(done.lead, 'score', 'B'),
    'first of A scored': Math.min(...places(done.lead, 'score', 'A')),
  };
  console.log(figures);
  for (const name of ['critical notified', 'critical enriched', 'critical scored'] as const)
    expect(figures[name], name).toBeLessThanOrEqual(WITHIN);
  expect(figures['B notified']).toBeLessThanOrEqual(all / 10);
  expect(figures['B enriched']).toBeLessThanOrEqual((2 * all) / 10);
  expect(figures['B scored']).toBeLessThanOrEqual((2 * all) / 10);
  expect(
    done.lead
      .slice(-2)
      .map(({ work }) => work)
      .toSorted(),
  ).toEqual(['rescore', 'retention']);
});
