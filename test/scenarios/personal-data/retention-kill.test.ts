import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { expect, inject, onTestFinished } from 'vitest';
import { freePort } from '../../../src/local/ports.ts';
import { waitUntilReady } from '../../../src/local/processes/readiness.ts';
import { projectRoot } from '../../../src/local/project-root.ts';
import { applyRetentionSchedule } from '../../../src/personal-data/retention/schedule.ts';
import { TASK_QUEUES } from '../../../workflows/contract.ts';
import { takeInOld } from '../../personal-data/retention/old-leads.ts';
import { DAYS, erasedOf, trigger } from '../../personal-data/retention/retention-run.ts';
import type { TestDatabase } from '../../support/database.ts';
import { test } from '../../support/onboarding.ts';
import { PATIENCE_MS } from '../../support/patience.ts';
import { createTestClient, replay, testNamespace } from '../../support/temporal.ts';

test('retention counts exactly, and erases each lead once, when its worker is killed in the middle', async ({
  database,
}) => {
  const client = createTestClient();
  onTestFinished(async () => {
    await applyRetentionSchedule(client, undefined);
    await client.connection.close();
  });
  const old = await takeInOld(database, 40, DAYS + 1);
  const release = await holdLead(database, old[20] ?? '');
  const first = await startWorkerProcess(database);
  const run = await trigger(client);
  await expect.poll(async () => (await erasedOf(database, old)).length).toBe(20);
  first.kill('SIGKILL');
  await once(first, 'exit');
  expect((await erasedOf(database, old)).length).toBe(20);
  await release();

  await startWorkerProcess(database);
  expect(await run.result()).toEqual({ erased: 40 });
  expect(await erasedOf(database, old)).toEqual(old);
  const { events } = await run.fetchHistory();
  const attempts = events?.map((event) => event.activityTaskStartedEventAttributes?.attempt ?? 0) ?? [];
  expect(Math.max(...attempts)).toBeGreaterThan(1);
  await replay(run);
});

/** Somebody changes a lead, and takes their time. @returns a function that ends it */
async function holdLead({ pool }: TestDatabase, leadId: string): Promise<() => Promise<unknown>> {
  const holder = await pool.connect();
  onTestFinished(() => holder.release(true));
  await holder.query('BEGIN; SET LOCAL idle_in_transaction_session_timeout = 0');
  await holder.query('SELECT 1 FROM lead WHERE id = $1 FOR UPDATE', [leadId]);
  return () => holder.query('ROLLBACK');
}

/** A process of its own, for workflows and for the queue `lead`, that ends with the test. */
async function startWorkerProcess({ url }: TestDatabase): Promise<ChildProcess> {
  const port = await freePort();
  const queues = [TASK_QUEUES.onboarding, TASK_QUEUES.lead].flatMap((queue) => ['--task-queue', queue]);
  const child = spawn(process.execPath, [join(projectRoot(), 'dist/src/worker.js'), ...queues], {
    env: {
      PATH: process.env['PATH'],
      DATABASE_URL: url,
      TEMPORAL_ADDRESS: inject('temporalAddress'),
      TEMPORAL_NAMESPACE: testNamespace(),
      HEALTH_PORT: String(port),
    },
    stdio: 'ignore',
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  await waitUntilReady({ kind: 'http', url: `http://127.0.0.1:${port}/readyz` }, AbortSignal.timeout(PATIENCE_MS));
  return child;
}
