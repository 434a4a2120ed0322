import { hostname } from 'node:os';
import { describe, expect, onTestFinished } from 'vitest';
import { onboardingWorkflowId, TASK_QUEUES } from '../../../workflows/contract.ts';
import type { TestDatabase } from '../../support/database.ts';
import { takeIn, test } from '../../support/onboarding.ts';
import { startProcess, type TestProcess } from '../../support/processes.ts';
import { carrierTo } from '../../support/relay.ts';
import { createTestClient } from '../../support/temporal.ts';

const QUEUES = Object.values(TASK_QUEUES).flatMap((queue) => ['--task-queue', queue]);
/** Longer than a test: no enrichment comes in between. */
const SLEEP_MS = 600_000;

async function startWorker(database: TestDatabase, settings: NodeJS.ProcessEnv = {}) {
  const worker = await startProcess('worker', { DATABASE_URL: database.url, ...settings }, QUEUES);
  await expect.poll(async () => (await worker.readyz()).status).toBe(200);
  return worker;
}

async function startLead(database: TestDatabase, delayMs?: number) {
  const client = createTestClient();
  onTestFinished(() => client.connection.close());
  const order = await takeIn(database, {}, delayMs);
  await carrierTo(client)(order);
  const run = client.workflow.getHandle(onboardingWorkflowId(order.leadId));
  onTestFinished(() =>
    run.terminate('the test is over').then(
      () => undefined,
      () => undefined,
    ),
  );
  return { leadId: order.leadId, run };
}

const identityOf = ({ pid }: TestProcess) => `${pid}@${hostname()}`;

/** The ends of a lead's steps that a worker has logged; it may have got those of leads of earlier tests as well. */
const logged = (worker: TestProcess, leadId: string, step: string) =>
  worker
    .log()
    .filter((line) => line['leadId'] === leadId && line['step'] === step && /^step (completed|failed)$/.test(line.msg));

const stored = ({ prisma }: TestDatabase, leadId: string) =>
  prisma.stepAttempt.findMany({ where: { leadId }, orderBy: { startedAt: 'asc' } });

describe('the attempts that a worker has made', () => {
  test('are there but for the last moment when it is killed, and those of the next worker beside them', async ({
    database,
  }) => {
    await database.pool.query('ALTER TABLE lead_score ADD CONSTRAINT no_score CHECK (score < 0) NOT VALID');
    const first = await startWorker(database);
    const { leadId, run } = await startLead(database);
    const scoresOf = async (worker: TestProcess) =>
      (await stored(database, leadId)).filter((row) => row.step === 'scoreLead' && row.worker === identityOf(worker));
    await expect.poll(async () => (await scoresOf(first)).length).toBeGreaterThanOrEqual(3);
    first.kill('SIGKILL');
    await first.exited;

    const before = await scoresOf(first);
    const known = logged(first, leadId, 'scoreLead').map(({ attempt }) => attempt);
    expect(before.map(({ attempt }) => attempt)).toEqual(known.slice(0, before.length));
    expect(known.length - before.length).toBeLessThanOrEqual(1);
    for (const { outcome, errorType } of before)
      expect({ outcome, errorType }).toEqual({ outcome: 'failed', errorType: 'PostgresError:23514' });

    await database.pool.query('ALTER TABLE lead_score DROP CONSTRAINT no_score');
    const second = await startWorker(database);
    await run.result();
    await expect.poll(() => scoresOf(second)).toHaveLength(1);
    const [last] = await scoresOf(second);
    expect(last).toMatchObject({ outcome: 'completed', errorType: null });
    expect(last?.attempt).toBeGreaterThan(before.length);
    expect((await stored(database, leadId)).slice(0, 2).map(({ step }) => step)).toEqual([
      'notifyAssignee',
      'enrichLead',
    ]);
  });

  test('are stored when it is told to stop, and none where the ledger is off', async ({ database }) => {
    for (const [ledger, attempts] of [
      ['on', 1],
      ['off', 0],
    ] as const) {
      const worker = await startWorker(database, { ATTEMPT_LEDGER: ledger });
      const { leadId } = await startLead(database, SLEEP_MS);
      await expect.poll(() => logged(worker, leadId, 'notifyAssignee'), { interval: 5 }).toHaveLength(1);
      worker.kill('SIGTERM');
      expect(await worker.exited).toEqual([0, null]);
      expect(await stored(database, leadId), ledger).toHaveLength(attempts);
    }
  });
});
