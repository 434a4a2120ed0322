import { randomUUID } from 'node:crypto';
import { msToTs } from '@temporalio/common/lib/time.js';
import { expect, onTestFinished, test } from 'vitest';
import { readSlots } from '../../src/statistics/worker-slots.ts';
import type { TaskQueue } from '../../workflows/contract.ts';
import { createTestClient } from '../support/temporal.ts';

const RUNNING = 1;
const SHUTTING_DOWN = 2;

test('a worker that is busy counts for longer after it was last heard than one that is idle', async () => {
  const client = createTestClient();
  onTestFinished(() => client.connection.close());
  const taskQueue = `slots-${randomUUID()}`;
  /** Tells Temporal of a worker, as the worker would have some seconds ago. */
  const say = async (name: string, secondsAgo: number, used: number, status = RUNNING) => {
    await client.workflowService.recordWorkerHeartbeat({
      namespace: client.options.namespace,
      identity: name,
      workerHeartbeat: [
        {
          workerInstanceKey: randomUUID(),
          workerIdentity: name,
          taskQueue,
          status,
          heartbeatTime: msToTs(Date.now() - secondsAgo * 1_000),
          activityTaskSlotsInfo: { currentUsedSlots: used, currentAvailableSlots: 3 - used },
        },
      ],
    });
  };
  await say('idle', 0, 0);
  await say('busy', 0, 2);
  await say('idle and late', 45, 0);
  await say('busy and late', 45, 3);
  await say('busy and gone', 120, 3);
  await say('ended', 0, 3, SHUTTING_DOWN);
  const read = () => readSlots(client, taskQueue as TaskQueue);
  await expect.poll(async () => (await read())?.slots.workers).toBe(3);
  const found = await read();
  expect(found?.slots).toEqual({ workers: 3, used: 5, total: 9 });
  expect(found?.seen.map(({ identity }) => identity).toSorted()).toEqual(['busy', 'busy and late', 'idle']);
});
