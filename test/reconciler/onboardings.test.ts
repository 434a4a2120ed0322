import { randomUUID } from 'node:crypto';
import { Client } from '@temporalio/client';
import { beforeEach, describe, expect, vi } from 'vitest';
import { endOnboarding } from '../../src/onboarding/outcome.ts';
import { orderSchema, type StartOrder } from '../../src/outbox/order.ts';
import { completeOrder } from '../../src/outbox/store.ts';
import { onboardingWorkflowId, TASK_QUEUES } from '../../workflows/contract.ts';
import type { TestDatabase } from '../support/database.ts';
import { recordLog } from '../support/log.ts';
import { takeIn, test } from '../support/onboarding.ts';
import { loseRun, reconcilerPass, untilEnded, untilRunning } from '../support/reconciler.ts';
import { carrierTo, relayOnce } from '../support/relay.ts';
import { createClientOfNobody, createTestClient } from '../support/temporal.ts';
import { answerWorkflowTask, CANCEL, CANCEL_TIMER, START_TIMER } from '../support/workflow-task.ts';

const client = createTestClient();
const { log, lines } = recordLog();
const carry = carrierTo(client);

const reconcile = (database: TestDatabase, change: Parameters<typeof reconcilerPass>[1] = {}) =>
  reconcilerPass(database, { log, ...change });

const relay = ({ pool }: TestDatabase) => relayOnce({ pool, carryOut: carry, log });

const tally = (change: object) => ({ 'under way': 0, 'ordered again': 0, canceled: 0, reported: 0, ...change });

/** A lead whose order is gone, and whose run Temporal does not know. */
async function lost(database: TestDatabase, delayMs?: number): Promise<StartOrder> {
  const order = await takeIn(database, {}, delayMs);
  await completeOrder(database.pool, { id: order.id, attempts: 0 });
  return order;
}

/** A lead whose run is there, and which no worker takes on. */
async function started(database: TestDatabase): Promise<StartOrder> {
  const order = await lost(database);
  await carry(order);
  return order;
}

const runOf = ({ leadId }: { leadId: string }) => client.workflow.getHandle(onboardingWorkflowId(leadId));

beforeEach<{ database: TestDatabase }>(async ({ database }) => {
  await database.pool.query('DELETE FROM outbox');
  await database.pool.query('DELETE FROM lead');
});

describe('a lead whose onboarding stands still', () => {
  test('is ordered again when its order was lost, and the relay starts it', async ({ database }) => {
    const order = await lost(database);
    let woken = 0;
    const wakeRelay = () => {
      woken += 1;
    };
    expect(await reconcile(database, { wakeRelay })).toEqual(tally({ 'ordered again': 1 }));
    expect(woken).toBe(1);

    const [row] = await database.prisma.outbox.findMany();
    expect(orderSchema.parse(row)).toMatchObject({ leadId: order.leadId, payload: { round: 1, again: true } });
    await relay(database);
    expect((await runOf(order).describe()).status.name).toBe('RUNNING');
    await runOf(order).terminate();
  });

  test.for([1, 2])(
    'is closed when somebody canceled its run in Temporal, that of round %i',
    async (round, { database }) => {
      const order = await lost(database);
      await database.prisma.onboarding.update({ where: { leadId: order.leadId }, data: { round } });
      await carry({ ...order, payload: { ...order.payload, round } });
      const workflowId = onboardingWorkflowId(order.leadId);
      await answerWorkflowTask(client, { taskQueue: TASK_QUEUES.onboarding, workflowId }, [CANCEL]);
      await untilEnded(workflowId);
      expect(await reconcile(database)).toEqual(tally({ canceled: 1 }));
      const { state } = await database.prisma.onboarding.findUniqueOrThrow({ where: { leadId: order.leadId } });
      expect(state).toBe('CANCELED');
    },
  );

  test('is ordered again when its run was terminated, and gets a new one', async ({ database }) => {
    const order = await started(database);
    const { runId } = await runOf(order).describe();
    await loseRun(runOf(order));
    expect(await reconcile(database)).toMatchObject({ 'ordered again': 1 });
    await relay(database);
    const again = await runOf(order).describe();
    expect(again.status.name).toBe('RUNNING');
    expect(again.runId).not.toBe(runId);
    await runOf(order).terminate();
  });

  test('is left alone when it is under way, has an order, is over, or has just changed', async ({ database }) => {
    const underWay = await started(database);
    await takeIn(database);
    const over = await started(database);
    await runOf(over).terminate();
    await database.prisma.$transaction((tx) => endOnboarding(tx, over.leadId, 'FAILED'));
    await lost(database);
    expect(await reconcile(database, { patienceMs: 60_000 })).toEqual(tally({}));
    expect(await reconcile(database)).toEqual(tally({ 'under way': 2, 'ordered again': 1 }));
    await runOf(underWay).terminate();
  });

  test('is ordered once by several reconcilers in several passes', async ({ database }) => {
    await Promise.all(Array.from({ length: 20 }, () => lost(database)));
    const passes = await Promise.all([1, 2, 3, 4].map(() => reconcile(database)));
    expect(passes.reduce((sum, pass) => sum + pass['ordered again'], 0)).toBe(20);
    await database.pool.query('UPDATE watch SET look_after = clock_timestamp()');
    expect(await reconcile(database)).toMatchObject({ 'ordered again': 0 });
    expect(await database.prisma.outbox.count()).toBe(20);
  });

  test('holds up no other when it cannot be mended', async ({ database }) => {
    const [broken] = [await lost(database), await lost(database)];
    const constraint = `ALTER TABLE outbox ADD CONSTRAINT broken CHECK (lead_id <> '${broken.leadId}') NOT VALID`;
    await database.pool.query(constraint);
    expect(await reconcile(database)).toEqual(tally({ 'ordered again': 1, reported: 1 }));
    await database.pool.query('ALTER TABLE outbox DROP CONSTRAINT broken');
    expect(lines.find(({ msg }) => msg === 'lead not reconciled')).toMatchObject({ leadId: broken.leadId });
  });

  test('is reported when its order was put aside', async ({ database }) => {
    const { leadId } = await takeIn(database);
    await database.pool.query(`UPDATE outbox SET status = 'DEAD'`);
    expect(await reconcile(database)).toEqual(tally({ reported: 1 }));
    expect(lines.at(-1)).toMatchObject({ leadId, msg: 'stood still: reported' });
    expect(await database.prisma.outbox.count()).toBe(1);
  });

  test('waits for a later pass while Temporal is out of reach', async ({ database }) => {
    await lost(database);
    const nobody = await createClientOfNobody();
    await expect(reconcile(database, { client: nobody })).rejects.toThrow();
    expect(await database.prisma.outbox.count()).toBe(0);
    await database.pool.query('UPDATE watch SET look_after = clock_timestamp()');
    expect(await reconcile(database)).toEqual(tally({ 'ordered again': 1 }));
  });
});

describe('the delay of a lead that is ordered again', () => {
  const DELAY_MS = 3_600_000;

  async function delayAfter(database: TestDatabase, prepare: (leadId: string) => Promise<unknown>): Promise<number> {
    const { leadId } = await lost(database);
    await prepare(leadId);
    await reconcile(database, { enrichmentDelayMs: DELAY_MS });
    const row = await database.prisma.outbox.findFirstOrThrow({ where: { leadId } });
    return orderSchema.parse(row).kind === 'START_ONBOARDING'
      ? (row.payload as StartOrder['payload']).enrichmentDelayMs
      : Number.NaN;
  }

  const startedAgo = (database: TestDatabase, seconds: number) => (leadId: string) =>
    database.pool.query(
      `INSERT INTO lead_event (id, lead_id, organization_id, type, step_key, at)
       VALUES (gen_random_uuid(), $1, 'org-123', 'onboarding.started', '1/started',
               clock_timestamp() - $2 * interval '1 second')`,
      [leadId, seconds],
    );

  test('is what is left of it since the onboarding began', async ({ database }) => {
    const delay = await delayAfter(database, startedAgo(database, 1_200));
    expect(delay).toBeGreaterThan(2_000_000);
    expect(delay).toBeLessThanOrEqual(2_400_000);
  });

  test('is over when it has passed, also for a lead that has waited for its start', async ({ database }) => {
    expect(await delayAfter(database, startedAgo(database, 3_601))).toBe(0);
    const old = (leadId: string) =>
      database.pool.query(`UPDATE lead SET created_at = created_at - interval '1 hour' WHERE id = $1`, [leadId]);
    expect(await delayAfter(database, old)).toBe(0);
  });

  test('is never longer than it was, whatever the clocks say', async ({ database }) => {
    expect(await delayAfter(database, startedAgo(database, -3_600))).toBe(DELAY_MS);
  });
});

describe('looking at leads that are under way', () => {
  /** When the lead is to be looked at again, and the time, both in seconds of the database's clock. */
  const clock = async ({ pool }: TestDatabase) => {
    const { rows } = await pool.query<{ again: number; now: number }>(
      `SELECT extract(epoch FROM look_after)::float8 AS again, extract(epoch FROM clock_timestamp())::float8 AS now
       FROM watch`,
    );
    return rows[0] ?? expect.fail('There is no lead');
  };
  /** As if the onboarding had begun so long ago, and had not been looked at. */
  const age = ({ pool }: TestDatabase, interval: string) =>
    pool.query(
      `UPDATE watch SET since = clock_timestamp() - $1::interval, look_after = clock_timestamp() - $1::interval`,
      [interval],
    );

  test.for([
    ['40 seconds', 40],
    ['10 minutes', 600],
    ['1 day', 3_600],
  ] as const)('comes less often the longer they are under way: after %s', async ([interval, wait], { database }) => {
    await takeIn(database);
    const { now: earliest } = await clock(database);
    await age(database, interval);
    expect(await reconcile(database, { patienceMs: 30_000 })).toEqual(tally({ 'under way': 1 }));
    const { again, now: latest } = await clock(database);
    expect(again).toBeGreaterThanOrEqual(earliest + wait - 0.001);
    expect(again).toBeLessThanOrEqual(latest + wait + (latest - earliest));
    expect(await reconcile(database, { patienceMs: 30_000 })).toEqual(tally({}));
  });

  test('changes nothing that a caller sees', async ({ database }) => {
    const { leadId } = await takeIn(database);
    await age(database, '10 minutes');
    const before = await database.prisma.lead.findUniqueOrThrow({ where: { id: leadId } });
    await reconcile(database);
    const after = await database.prisma.lead.findUniqueOrThrow({ where: { id: leadId } });
    expect(after).toEqual(before);
  });

  /** As if so many leads had an order that the relay has not come to. */
  const backlog = ({ pool }: TestDatabase, leads: number) =>
    pool.query(
      `WITH backlog AS (
         INSERT INTO lead (id, organization_id, name)
         SELECT gen_random_uuid(), 'org-123', 'Backlog' FROM generate_series(1, $1) RETURNING id),
       onboardings AS (INSERT INTO onboarding (lead_id, organization_id) SELECT id, 'org-123' FROM backlog),
       watches AS (
         INSERT INTO watch (lead_id, run, organization_id, since, look_after)
         SELECT id, 'onboarding', 'org-123', now() - interval '1 hour', now() - interval '1 hour' FROM backlog)
       INSERT INTO outbox (id, lead_id, organization_id, kind)
       SELECT gen_random_uuid(), id, 'org-123', 'START_ONBOARDING' FROM backlog`,
      [leads],
    );

  test('one that is lost behind thousands is found in the same pass', async ({ database }) => {
    await backlog(database, 2_500);
    await lost(database);
    expect(await reconcile(database)).toEqual(tally({ 'under way': 2_500, 'ordered again': 1 }));
  });

  /** A client of its own, which counts the runs that it asks for one by one. */
  function countingClient() {
    const own = createTestClient();
    const asked = vi.spyOn(own.workflow, 'getHandle');
    return { client: own, asked };
  }

  test('costs one question for all of them, and one for each that is not running', async ({ database }) => {
    const underWay = await Promise.all(Array.from({ length: 20 }, () => started(database)));
    await untilRunning(underWay.map(({ leadId }) => onboardingWorkflowId(leadId)));
    const { leadId } = await lost(database);
    const { client: own, asked } = countingClient();
    expect(await reconcile(database, { client: own })).toEqual(tally({ 'under way': 20, 'ordered again': 1 }));
    expect(asked.mock.calls).toEqual([[onboardingWorkflowId(leadId)]]);
    await own.connection.close();
    await Promise.all(underWay.map((order) => runOf(order).terminate()));
  });

  /** What visibility says of a run that it takes for running. */
  async function* sayRunning(leadId: string) {
    await Promise.resolve();
    yield { workflowId: onboardingWorkflowId(leadId), status: { name: 'RUNNING' } };
  }

  test.for([
    ['an hour at most', '59 minutes', { 'under way': 1 }],
    ['longer than an hour', '61 minutes', { 'ordered again': 1 }],
  ] as const)(
    'visibility is believed for %s: it may be there when the runs are lost',
    async ([, since, verdict], { database }) => {
      const { leadId } = await lost(database);
      await age(database, since);
      const { client: own } = countingClient();
      vi.spyOn(own.workflow, 'list').mockReturnValue(sayRunning(leadId) as never);
      expect(await reconcile(database, { client: own })).toEqual(tally(verdict));
      await own.connection.close();
    },
  );

  test.for([
    ['is ordered again when its run has nothing to wait for: a store went back behind its worker', [], 'ordered again'],
    ['is under way while its run waits for a timer', [START_TIMER], 'under way'],
  ] as const)('%s', async ([, commands, verdict], { database }) => {
    const order = await started(database);
    const run = { taskQueue: TASK_QUEUES.onboarding, workflowId: onboardingWorkflowId(order.leadId) };
    await answerWorkflowTask(client, run, [...commands]);
    await untilRunning([run.workflowId]); // and believed: the run itself is not looked at
    expect(await reconcile(database)).toEqual(tally({ 'under way': 1 }));
    await age(database, '61 minutes');
    expect(await reconcile(database)).toEqual(tally({ [verdict]: 1 }));
    const status = verdict === 'under way' ? 'RUNNING' : 'TERMINATED';
    expect(await runOf(order).describe()).toMatchObject({ status: { name: status } });
    if (verdict === 'under way') await runOf(order).terminate();
  });

  test('is under way while its run goes on between two looks at it', async ({ database }) => {
    const order = await started(database);
    const run = { taskQueue: TASK_QUEUES.onboarding, workflowId: onboardingWorkflowId(order.leadId) };
    await answerWorkflowTask(client, run, [START_TIMER]);
    await untilRunning([run.workflowId]);
    await age(database, '61 minutes');
    let moved = 0;
    const { connection, options } = client;
    const own = new Client({
      connection,
      namespace: options.namespace,
      interceptors: {
        workflow: [
          {
            async describe(input, next) {
              const described = await next(input);
              const again = answerWorkflowTask(client, run, [CANCEL_TIMER]);
              await runOf(order).signal('go-on');
              await again;
              moved += 1;
              return described;
            },
          },
        ],
      },
    });
    expect(await reconcile(database, { client: own })).toEqual(tally({ 'under way': 1 }));
    expect(moved).toBe(1);
    expect(await runOf(order).describe()).toMatchObject({ status: { name: 'RUNNING' } });
    await runOf(order).terminate();
  });

  test('costs ten questions for any number that are lost, when none of the ten is there', async ({ database }) => {
    await Promise.all(Array.from({ length: 30 }, () => lost(database)));
    const { client: own, asked } = countingClient();
    expect(await reconcile(database, { client: own })).toEqual(tally({ 'ordered again': 30 }));
    expect(asked).toHaveBeenCalledTimes(10);
    await own.connection.close();
  });

  test('costs one for each when visibility has lost runs that are there', async ({ database }) => {
    const underWay = await Promise.all(Array.from({ length: 12 }, () => started(database)));
    await lost(database);
    const { client: own, asked } = countingClient();
    vi.spyOn(own.workflow, 'list').mockReturnValue(sayRunning(randomUUID()) as never);
    expect(await reconcile(database, { client: own })).toEqual(tally({ 'under way': 12, 'ordered again': 1 }));
    expect(asked).toHaveBeenCalledTimes(13);
    await own.connection.close();
    await Promise.all(underWay.map((order) => runOf(order).terminate()));
  });

  test('goes on without visibility: each run is asked for', async ({ database }) => {
    const underWay = await started(database);
    await lost(database);
    const { client: own, asked } = countingClient();
    const refusal = Object.assign(new Error('13 INTERNAL'), { code: 13, details: 'by the test', metadata: {} });
    vi.spyOn(own.workflow, 'list').mockImplementation(() => {
      throw refusal;
    });
    expect(await reconcile(database, { client: own })).toEqual(tally({ 'under way': 1, 'ordered again': 1 }));
    expect(asked).toHaveBeenCalledTimes(2);
    await own.connection.close();
    await runOf(underWay).terminate();
  });
});

describe('leads that are ordered again together', () => {
  test('are those that need nothing else: the others are closed, ordered, or left as they were one by one', async ({
    database,
  }) => {
    const orders = await Promise.all(Array.from({ length: 5 }, () => lost(database)));
    const [canceled, told, over, later, plain] = orders.map(({ leadId }) => leadId) as [string, ...string[]];
    const change = (leadId: string | undefined, data: object) =>
      database.prisma.onboarding.update({ where: { leadId: leadId ?? '' }, data });
    await change(canceled, { acceptedCommands: ['cancel'] });
    await change(told, { acceptedCommands: ['skipEnrichment'] });
    await change(over, { state: 'COMPLETED' });
    await change(later, { round: 3 });
    expect(await reconcile(database)).toEqual(tally({ 'under way': 1, canceled: 1, 'ordered again': 3 }));
    const rows = await database.prisma.outbox.findMany({ where: { kind: 'START_ONBOARDING' } });
    const payloads: Record<string, object> = {};
    for (const row of rows) payloads[row.leadId ?? ''] = orderSchema.parse(row).payload;
    expect(payloads).toEqual({
      [told ?? '']: expect.objectContaining({ round: 1, again: true, commands: ['skipEnrichment'] }) as object,
      [later ?? '']: expect.objectContaining({ round: 3, again: true }) as object,
      [plain ?? '']: expect.objectContaining({ round: 1, again: true }) as object,
    });
    expect(payloads[plain ?? '']).not.toHaveProperty('commands');
    expect(new Set(rows.map(({ payload }) => (payload as { requestId: string }).requestId)).size).toBe(3);
    expect(await database.prisma.watch.findMany({ where: { leadId: { in: [canceled, over ?? ''] } } })).toEqual([]);
  });
});

describe('a run that is started again', () => {
  test('takes no step twice: one notification, one score', async ({ database, onboard }) => {
    const run = await onboard({ delayMs: 600_000 });
    await expect.poll(() => run.timeline()).toContain('notification.created');
    await loseRun(run.handle);
    await database.pool.query('DELETE FROM outbox');
    await reconcile(database);
    await relay(database);
    await expect.poll(() => run.timeline()).toContain('onboarding.completed');
    expect((await run.timeline()).filter((type) => type === 'notification.created')).toHaveLength(1);
    expect(await database.prisma.notification.count({ where: { leadId: run.leadId } })).toBe(1);
  });
});
