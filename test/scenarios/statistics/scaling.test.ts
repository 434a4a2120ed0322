import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { NativeConnection } from '@temporalio/worker';
import { Registry } from 'prom-client';
import { describe, expect, inject, onTestFinished } from 'vitest';
import { openLease } from '../../../src/db/lease.ts';
import { freePort } from '../../../src/local/ports.ts';
import { runOnce } from '../../../src/local/processes/run-once.ts';
import { prepareTemporal } from '../../../src/local/temporal/temporal.ts';
import { createGauges } from '../../../src/statistics/gauges.ts';
import { readStatistics } from '../../../src/statistics/read-statistics.ts';
import { answerScaling } from '../../../src/statistics/scaling.ts';
import { readTaskQueue } from '../../../src/statistics/task-queue.ts';
import { createWorker } from '../../../src/temporal/worker.ts';
import { bundleWorkflows } from '../../../src/temporal/workflow-bundle.ts';
import { TASK_QUEUES } from '../../../workflows/contract.ts';
import { makeTempDir } from '../../local/support/parts.ts';
import { recordLog } from '../../support/log.ts';
import { test } from '../../support/onboarding.ts';
import { startProcess } from '../../support/processes.ts';
import { createTestClient, testNamespace } from '../../support/temporal.ts';

/** A worker sends one each 5 s. */
const HEARTBEATS_IN_30_S = 6;

/** Holds the three slots of a worker of `lead` until they are released, at the end of the test at the latest. */
async function holdSlots(client: Client) {
  let letGo: () => void = () => undefined;
  const released = new Promise<void>((resolve) => (letGo = resolve));
  const connection = await NativeConnection.connect({ address: inject('temporalAddress') });
  const deps = { connection, namespace: testNamespace(), log: recordLog().log, graceMs: 0 };
  const workflowBundle = await bundleWorkflows(join(import.meta.dirname, 'long-step.ts'));
  const workers = [
    await createWorker(deps, TASK_QUEUES.onboarding, { workflowBundle }),
    await createWorker(deps, TASK_QUEUES.lead, {
      activities: { hold: () => released },
      maxConcurrentActivityTaskExecutions: 3,
    }),
  ];
  const running = workers.map((worker) => worker.run());
  const start = () =>
    client.workflow.start('longStep', { workflowId: randomUUID(), taskQueue: TASK_QUEUES.onboarding });
  const runs = await Promise.all([start(), start(), start()]);
  onTestFinished(async () => {
    letGo();
    for (const worker of workers) worker.shutdown();
    await Promise.all(running);
    await connection.close();
  });
  return {
    async release() {
      letGo();
      await Promise.all(runs.map((run) => run.result()));
    },
  };
}

describe('an autoscaler', () => {
  test('lets three busy slots be while the backlog says 0', async ({ database }) => {
    const client = createTestClient();
    onTestFinished(() => client.connection.close());
    const held = await holdSlots(client);
    const lease = openLease(database.pool, 'statistics');
    const gauges = createGauges(new Registry());
    const answer = async () => {
      await readStatistics({ pool: database.pool, client, lease, gauges });
      return answerScaling(database.pool, 'lead');
    };
    const busy = { queue: 'lead', desired: 2, slotsUsed: 3, backlog: 0, slotsPerWorker: 3 };
    await expect.poll(answer).toEqual({ status: 200, body: busy });

    const heartbeats = new Set<string>();
    const readings: Awaited<ReturnType<typeof answer>>[] = [];
    const lookOnce = async () => {
      readings.push(await answer());
      const query = `TaskQueue = 'lead'`;
      const { workersInfo } = await client.connection.workflowService.listWorkers({
        namespace: testNamespace(),
        query,
      });
      for (const { workerHeartbeat } of workersInfo) heartbeats.add(JSON.stringify(workerHeartbeat?.heartbeatTime));
      return heartbeats.size;
    };
    const before = await lookOnce();
    await expect.poll(lookOnce, { interval: 500 }).toBeGreaterThanOrEqual(before + HEARTBEATS_IN_30_S);
    console.log(`${readings.length} readings over ${heartbeats.size - before} heartbeats of a busy worker`);
    // A busy machine may miss heartbeats: then the answer is that nobody knows, at which an autoscaler holds still.
    const known = readings.filter(({ status }) => status !== 503);
    expect(known.length).toBeGreaterThan(0);
    for (const { status, body } of known) expect({ status, ...body }).toMatchObject({ status: 200, backlog: 0 });
    const desired = known.map(({ body }) => (body as { desired: number }).desired);
    expect(Math.min(...desired)).toBeGreaterThanOrEqual(1);

    await held.release();
    await expect.poll(answer).toMatchObject({ body: { desired: 0, slotsUsed: 0, backlog: 0 } });
  });

  test('gets the same answer from each relay', async ({ database }) => {
    await database.pool.query('TRUNCATE lease, task_queue_statistics');
    const ports = [await freePort(), await freePort()];
    const start = (port: number) => startProcess('relay', { DATABASE_URL: database.url, METRICS_PORT: String(port) });
    await Promise.all(ports.map(start));
    const ask = async (path: string) =>
      Promise.all(
        ports.map(async (port) => {
          const answer = await fetch(`http://127.0.0.1:${port}${path}`).catch(() => undefined);
          return { status: answer?.status ?? 0, body: await answer?.json().catch(() => undefined) };
        }),
      );
    const status = (code: number) => expect.objectContaining({ status: code }) as unknown;
    await expect.poll(() => ask('/scaling/lead')).toEqual([status(200), status(200)]);
    const [first, second] = await ask('/scaling/lead');
    expect(first).toMatchObject({ body: { queue: 'lead', backlog: 0 } });
    expect(second).toEqual(first);
    expect(await ask('/scaling/leads')).toEqual([status(404), status(404)]);
    expect(await ask('/other')).toEqual([status(404), status(404)]);
    expect((await database.pool.query('SELECT FROM lease')).rowCount).toBe(1);
  });

  test('gets an error where the server does not tell of slots', async () => {
    const port = await freePort();
    const dbFilename = join(await makeTempDir(), 'temporal.db');
    const part = await prepareTemporal({ cli: inject('temporalCli'), port, dbFilename });
    const isAbout = (setting: string | undefined) => setting?.startsWith('frontend.') === true;
    const args = part.args.filter((arg, index) => !isAbout(arg) && !isAbout(part.args[index + 1]));
    expect(args.length).toBe(part.args.length - 4);
    const server = await runOnce({ ...part, args });
    const address = `127.0.0.1:${port}`;
    const client = new Client({ connection: Connection.lazy({ address }) });
    const connection = await NativeConnection.connect({ address });
    const { log } = recordLog();
    const deps = { connection, namespace: 'default', log, graceMs: 0 };
    const worker = await createWorker(deps, TASK_QUEUES.lead, { activities: { nothing: () => Promise.resolve() } });
    const running = worker.run();
    onTestFinished(async () => {
      worker.shutdown();
      await running;
      await connection.close();
      await client.connection.close();
      await server.stop();
    });
    const read = () => readTaskQueue(client, TASK_QUEUES.lead);
    await expect.poll(async () => (await read()).pollers).toBe(1);
    expect(await read()).not.toHaveProperty('slots');
  });
});
