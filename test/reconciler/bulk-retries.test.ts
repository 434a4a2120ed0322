import { describe, expect, onTestFinished } from 'vitest';
import { reconcileBulkRetries } from '../../src/reconciler/bulk-retries.ts';
import { TASK_QUEUES } from '../../workflows/contract.ts';
import { BULK_RETRY, bulkRetryWorkflowId } from '../../workflows/retry-contract.ts';
import { testWithoutStarts as base } from '../support/api.ts';
import { storeFailed } from '../support/failures.ts';
import { recordLog } from '../support/log.ts';
import { createTestClient } from '../support/temporal.ts';
import { answerWorkflowTask, CANCEL } from '../support/workflow-task.ts';

const client = createTestClient();
/** A task queue that no worker takes from. */
const NOBODY = `nobody-${TASK_QUEUES.onboarding}`;

interface Fixtures {
  /** A retry whose order is gone, and of which nothing was heard for a minute. */
  retryId: string;
  /** One pass. @returns how many were ordered again, and whether relays were woken */
  pass: () => Promise<{ ordered: number; woken: boolean }>;
}

const test = base.extend<Fixtures>({
  retryId: async ({ api, database }, use) => {
    const organizationId = 'org-stuck';
    await storeFailed(database, { organizationId, leads: 2 });
    const order = { filter: { organizationId }, dryRun: false, reason: 'The CRM is back' };
    const { body } = await api.call<{ id: string }>('POST', '/ops/retries', order);
    await database.pool.query(`DELETE FROM outbox WHERE kind = 'RETRY_LEADS'`);
    await database.pool.query(`UPDATE bulk_retry SET updated_at = now() - interval '1 minute'`);
    await use(body.id);
    await database.pool.query('UPDATE bulk_retry SET finished_at = now() WHERE finished_at IS NULL');
    await database.pool.query(`DELETE FROM outbox WHERE kind = 'RETRY_LEADS'`);
  },
  pass: async ({ database: { pool, prisma } }, use) => {
    await use(async () => {
      let woken = false;
      const wakeRelay = () => void (woken = true);
      const { log } = recordLog();
      const deps = { pool, prisma, client, log, patienceMs: 30_000, enrichmentDelayMs: 50, wakeRelay };
      return { ordered: await reconcileBulkRetries(deps), woken };
    });
  },
});

/** Its run, which nobody works on. */
async function startRun(id: string) {
  const run = await client.workflow.start(BULK_RETRY, {
    taskQueue: NOBODY,
    workflowId: bulkRetryWorkflowId(id),
  });
  onTestFinished(async () => void (await run.terminate('the test is over').catch(() => undefined)));
  return run;
}

describe('a bulk retry that stands still', () => {
  test('is ordered again when Temporal has lost its run, once', async ({ retryId, database, pass }) => {
    expect(await pass()).toEqual({ ordered: 1, woken: true });
    const orders = await database.prisma.outbox.findMany({ where: { kind: 'RETRY_LEADS' } });
    expect(orders.map(({ payload }) => payload)).toEqual([
      { retryId, requestId: expect.stringMatching(/^reconciler-/) as string },
    ]);
    expect(await pass()).toEqual({ ordered: 0, woken: false }); // the order is the relays'
  });

  test('is left alone while its run is under way', async ({ retryId, pass }) => {
    await startRun(retryId);
    expect(await pass()).toEqual({ ordered: 0, woken: false });
  });

  test('is ordered again when its run was ended', async ({ retryId, pass }) => {
    const run = await startRun(retryId);
    await run.terminate('by the test');
    expect(await pass()).toEqual({ ordered: 1, woken: true });
  });

  test('is canceled, and ordered again for what is under way, when an operator canceled its run', async ({
    retryId,
    database: { prisma },
    pass,
  }) => {
    const run = await startRun(retryId);
    await answerWorkflowTask(client, { taskQueue: NOBODY, workflowId: run.workflowId }, [CANCEL]);
    expect(await pass()).toEqual({ ordered: 1, woken: true });
    expect(await prisma.bulkRetry.findUnique({ where: { id: retryId } })).toMatchObject({ state: 'CANCELED' });
    const leads = await prisma.bulkRetryLead.findMany({ where: { retryId } });
    expect([...new Set(leads.map(({ outcome, reason }) => `${outcome} ${reason}`))]).toEqual([
      'SKIPPED retry-canceled',
    ]);
  });

  test('goes on as it was when its run was ended', async ({ retryId, database: { prisma }, pass }) => {
    await (await startRun(retryId)).terminate('by the test');
    await pass();
    expect(await prisma.bulkRetry.findUnique({ where: { id: retryId } })).toMatchObject({ state: 'RUNNING' });
  });

  test('is left alone when it is paused, was heard of just now, or is over', async ({ retryId, database, pass }) => {
    const { pool } = database;
    for (const change of [`state = 'PAUSED'`, `state = 'RUNNING', updated_at = now()`, `finished_at = now()`]) {
      await pool.query(`UPDATE bulk_retry SET ${change} WHERE id = $1`, [retryId]);
      expect(await pass(), change).toEqual({ ordered: 0, woken: false });
    }
  });
});
