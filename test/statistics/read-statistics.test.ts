import type { Client } from '@temporalio/client';
import { Registry } from 'prom-client';
import { describe, expect, onTestFinished } from 'vitest';
import { openLease } from '../../src/db/lease.ts';
import { createGauges } from '../../src/statistics/gauges.ts';
import { readStatistics } from '../../src/statistics/read-statistics.ts';
import { readTaskQueue, type TaskQueueStatistics } from '../../src/statistics/task-queue.ts';
import { onboardingWorkflowId, TASK_QUEUES } from '../../workflows/contract.ts';
import { leadPriority } from '../../workflows/priorities.ts';
import { recordLog } from '../support/log.ts';
import { takeIn, test } from '../support/onboarding.ts';
import { carrierTo } from '../support/relay.ts';
import { createTestClient } from '../support/temporal.ts';
import { startWorkers } from '../support/workers.ts';

function openClient(): Client {
  const client = createTestClient();
  onTestFinished(() => client.connection.close());
  return client;
}

/** Where Temporal has a lead of low priority. */
const LOW = String(leadPriority({ organizationId: 'org-1', priority: 'LOW' }).priorityKey);

const tasksOf = ({ tasks, byPriority }: TaskQueueStatistics, priority: string) => [
  tasks,
  byPriority[priority]?.tasks ?? 0,
];

describe('what Temporal says of a task queue', () => {
  test('has the tasks that wait, also by priority, and how long the oldest does', async ({ database }) => {
    const client = openClient();
    const { log } = recordLog();
    const before = tasksOf(await readTaskQueue(client, TASK_QUEUES.notification), LOW);
    const workers = await startWorkers(database, log, {}, [TASK_QUEUES.onboarding]);
    for (const priority of ['NORMAL', 'LOW', 'LOW'] as const) {
      const order = await takeIn(database, { priority }, 600_000);
      await carrierTo(client)(order);
      onTestFinished(async () => {
        await client.workflow.getHandle(onboardingWorkflowId(order.leadId)).terminate('the test is over');
      });
    }
    const [all = 0, low = 0] = before;
    const now = () => readTaskQueue(client, TASK_QUEUES.notification);
    await expect.poll(async () => tasksOf(await now(), LOW)).toEqual([all + 3, low + 2]);
    expect((await now()).ageSeconds).toBeGreaterThan(0);
    await workers.stop();
  });

  test('is read by the relay that leads, and by another once that is gone', async ({ database: { pool } }) => {
    const client = openClient();
    const [first, second] = [openLease(pool, 'statistics'), openLease(pool, 'statistics')];
    await pool.query('DELETE FROM lease');
    const gauges = createGauges(new Registry());
    const read = (lease: typeof first) => readStatistics({ pool, client, lease, gauges });
    expect([await read(first), await read(second), await read(first)]).toEqual([true, false, true]);

    await pool.query(`UPDATE lease SET until = until - interval '30 seconds'`); // the first has died
    expect([await read(second), await read(first)]).toEqual([true, false]);
    await second.release();
    expect(await read(first)).toBe(true);
    await second.release(); // which is not its own any more
    expect(await read(second)).toBe(false);
  });
});
