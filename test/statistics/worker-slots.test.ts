import { NativeConnection } from '@temporalio/worker';
import { expect, inject, test } from 'vitest';
import { readSlots } from '../../src/statistics/worker-slots.ts';
import { createWorker } from '../../src/temporal/worker.ts';
import { TASK_QUEUES } from '../../workflows/contract.ts';
import { recordLog } from '../support/log.ts';
import { createTestClient, testNamespace } from '../support/temporal.ts';

const MINUTE_MS = 60_000;

test('a worker that has fallen silent is not known of for some minutes, and then is no more', async () => {
  const client = createTestClient();
  const connection = await NativeConnection.connect({ address: inject('temporalAddress') });
  const deps = { connection, namespace: testNamespace(), log: recordLog().log, graceMs: 0 };
  const worker = await createWorker(deps, TASK_QUEUES.webhook, {
    activities: { nothing: () => Promise.resolve() },
    maxConcurrentActivityTaskExecutions: 7,
  });
  const running = worker.run();
  const slotsAt = async (now: number) => (await readSlots(client, TASK_QUEUES.webhook, now))?.slots;
  await expect.poll(() => slotsAt(Date.now())).toMatchObject({ workers: 1, total: 7 });
  expect(await slotsAt(Date.now() + MINUTE_MS)).toBeUndefined();
  expect(await slotsAt(Date.now() + 6 * MINUTE_MS)).toEqual({ workers: 0, used: 0, total: 0 });
  worker.shutdown();
  await running;
  await connection.close();
  await client.connection.close();
});
