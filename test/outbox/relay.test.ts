import { setTimeout as sleep } from 'node:timers/promises';
import { uuidv7 } from 'uuidv7';
import { beforeEach, describe, expect, onTestFinished } from 'vitest';
import type { Order, StartOrder } from '../../src/outbox/order.ts';
import { type Relay, startRelay } from '../../src/outbox/relay.ts';
import { claimOrders } from '../../src/outbox/store.ts';
import { onboardingWorkflowId } from '../../workflows/contract.ts';
import type { TestDatabase } from '../support/database.ts';
import { recordLog } from '../support/log.ts';
import { takeIn, test } from '../support/onboarding.ts';
import { carrierTo, impatientCarrierTo, relayOnce } from '../support/relay.ts';
import { recordStatements } from '../support/statements.ts';
import { createClientOfNobody, createTestClient } from '../support/temporal.ts';

type CarryOut = (order: Order) => Promise<void>;

const { log } = recordLog();
const client = createTestClient();
const carry = carrierTo(client);

const takeInMany = (database: TestDatabase, count: number) =>
  Promise.all(Array.from({ length: count }, () => takeIn(database)));

const makeDue = ({ pool }: TestDatabase) => pool.query("UPDATE outbox SET available_at = now() - interval '1 second'");

/** A relay that runs until the test ends. */
function run({ pool }: TestDatabase, carryOut: CarryOut, pollMs = 50): Relay {
  const relay = startRelay({ pool, log, carryOut, pollMs });
  onTestFinished(() => relay.stop());
  return relay;
}

/** Stops what a call waits for until it is let go. */
function gate() {
  let open: () => void = () => undefined;
  const opened = new Promise<void>((resolve) => (open = resolve));
  return { opened, open };
}

const outboxSize = ({ prisma }: TestDatabase) => prisma.outbox.count();

async function endRuns(orders: StartOrder[]): Promise<void> {
  await Promise.all(orders.map(({ leadId }) => client.workflow.getHandle(onboardingWorkflowId(leadId)).terminate()));
}

beforeEach<{ database: TestDatabase }>(async ({ database }) => {
  await database.pool.query('DELETE FROM outbox');
});

describe('a relay', () => {
  test('starts what no API process has, and empties the outbox', async ({ database }) => {
    const orders = await takeInMany(database, 3);
    await makeDue(database);
    run(database, carry);
    await expect.poll(() => outboxSize(database)).toBe(0);
    for (const { leadId } of orders) {
      const { status } = await client.workflow.getHandle(onboardingWorkflowId(leadId)).describe();
      expect(status.name).toBe('RUNNING');
    }
    await endRuns(orders);
  });

  test('counts a run that exists already as started', async ({ database }) => {
    const order = await takeIn(database);
    await carry(order);
    const handle = client.workflow.getHandle(onboardingWorkflowId(order.leadId));
    const { runId } = await handle.describe();
    await makeDue(database);
    const relay = run(database, carry);
    await expect.poll(() => outboxSize(database)).toBe(0);
    await relay.stop();
    expect((await handle.describe()).runId).toBe(runId);
    await handle.terminate();
    await carry(order);
    expect((await handle.describe()).runId).toBe(runId);
  });

  test.for([
    ['its start', { again: true }],
    ['a later round', { round: 2 }],
  ])('starts a run after one that has ended when %s is ordered', async ([, change], { database }) => {
    const order = await takeIn(database);
    await carry(order);
    const handle = client.workflow.getHandle(onboardingWorkflowId(order.leadId));
    const { runId } = await handle.describe();
    await handle.terminate();
    await carry({ ...order, payload: { ...order.payload, ...(change as object) } });
    const next = await handle.describe();
    expect(next).toMatchObject({ status: { name: 'RUNNING' } });
    expect(next.runId).not.toBe(runId);
    await handle.terminate();
  });

  test('leaves a row alone while the process that wrote it has it in hand', async ({ database }) => {
    await takeIn(database);
    expect(await claimOrders(database.pool, 10)).toEqual([]);
  });

  test('looks at once when it is woken, and otherwise when its time has come', async ({ database }) => {
    const done: string[] = [];
    const carryOut: CarryOut = (order) => Promise.resolve(void done.push(order.id));
    const relay = run(database, carryOut, 3_600_000);
    await expect.poll(() => relay.lastPollAt).toBeDefined();
    const first = await takeIn(database);
    await makeDue(database);
    relay.wake();
    await expect.poll(() => done).toEqual([first.id]);

    run(database, carryOut, 50);
    const second = await takeIn(database);
    await makeDue(database);
    await expect.poll(() => done).toEqual([first.id, second.id]);
  });

  test('looks again while every lane got an order, and then no more until its time has come', async ({ database }) => {
    await takeInMany(database, 45);
    await makeDue(database);
    const statements = recordStatements();
    const looks = () => statements.filter(({ text }) => text.includes('SKIP LOCKED')).length;
    run(database, () => Promise.resolve(), 3_600_000);
    await expect.poll(() => outboxSize(database)).toBe(0);
    for (let others = 0; others < 500; others += 1) await database.pool.query('SELECT 1');
    expect(looks()).toBeLessThanOrEqual(46); // one after each that is done
  });

  test('has 20 calls under way at most, and is not held up by one that is slow', async ({ database }) => {
    const orders = await takeInMany(database, 60);
    await makeDue(database);
    const { opened, open } = gate();
    const [slow] = orders;
    let [underWay, most] = [0, 0];
    const finished: string[] = [];
    run(database, async (order) => {
      underWay += 1;
      most = Math.max(most, underWay);
      await (order.id === slow?.id ? opened : sleep(20));
      finished.push(order.id);
      underWay -= 1;
    });
    await expect.poll(() => outboxSize(database)).toBe(1);
    expect(finished).not.toContain(slow?.id);
    expect(most).toBe(20);
    open();
    await expect.poll(() => outboxSize(database)).toBe(0);
  });

  test('carries each order out once, with several copies', async ({ database }) => {
    await takeInMany(database, 100);
    await makeDue(database);
    const done: string[] = [];
    for (let copy = 0; copy < 4; copy += 1) run(database, (order) => Promise.resolve(void done.push(order.id)));
    await expect.poll(() => outboxSize(database)).toBe(0);
    expect(done).toHaveLength(100);
    expect(new Set(done).size).toBe(100);
  });

  test('puts impossible rows aside after one try, with the reason, and carries out the others', async ({
    database,
  }) => {
    const [refused, garbled, good] = [await takeIn(database), await takeIn(database), await takeIn(database)];
    const tooLong = 'x'.repeat(5_000); // more than Temporal takes as a search attribute
    await database.pool.query('UPDATE outbox SET organization_id = $2 WHERE id = $1', [refused.id, tooLong]);
    await database.pool.query(`UPDATE outbox SET payload = '{"round": 0}' WHERE id = $1`, [garbled.id]);
    await makeDue(database);
    run(database, carry);
    const dead = (reason: string) => ({
      status: 'DEAD',
      attempts: 1,
      lastError: expect.stringContaining(reason) as string,
    });
    await expect
      .poll(() => database.prisma.outbox.findMany({ orderBy: { id: 'asc' } }))
      .toMatchObject([
        { id: refused.id, ...dead('gRPC 3') },
        { id: garbled.id, ...dead('payload.round') },
      ]);
    await endRuns([good]);
    await makeDue(database);
    expect(await claimOrders(database.pool, 10)).toEqual([]);
  });

  test('tries an order that failed again, with what came of it, until it goes well', async ({ database }) => {
    const { id } = await takeIn(database);
    await makeDue(database);
    const found: unknown[] = [];
    run(database, async () => {
      found.push(await database.prisma.outbox.findUnique({ where: { id } }));
      if (found.length < 3) throw new Error('by the test');
    });
    await expect.poll(() => outboxSize(database)).toBe(0);
    expect(found).toMatchObject([
      { attempts: 1, status: 'PENDING', lastError: null },
      { attempts: 2, status: 'PENDING', lastError: 'Error' },
      { attempts: 3, status: 'PENDING', lastError: 'Error' },
    ]);
  });

  test('ends when the calls that are under way have, and has nothing else in hand', async ({ database }) => {
    const orders = await takeInMany(database, 30);
    await makeDue(database);
    const { opened, open } = gate();
    let begun = 0;
    const relay = run(database, () => {
      begun += 1;
      return opened;
    });
    await expect.poll(() => begun).toBe(20);
    const stopped = relay.stop();
    expect(await claimOrders(database.pool, 100)).toHaveLength(orders.length - begun);
    open();
    await stopped;
    expect(begun).toBe(20);
    expect(await outboxSize(database)).toBe(orders.length - begun);
  });
});

describe('while Temporal is out of reach', () => {
  const nobody = async () => impatientCarrierTo(await createClientOfNobody(), log);

  test('a relay keeps every row, with the reason, and tries one at a time; then all are started', async ({
    database,
  }) => {
    const orders = await takeInMany(database, 60);
    await makeDue(database);
    const toNobody = await nobody();
    let back = false;
    const [failed, atOnce] = [[] as string[], [] as number[]];
    let underWay = 0;
    const carryOut: CarryOut = async (order) => {
      underWay += 1;
      if (!back && failed.length > 0) atOnce.push(underWay);
      try {
        await (back ? carry(order) : toNobody(order));
      } catch (err) {
        failed.push(order.id);
        throw err;
      } finally {
        underWay -= 1;
      }
    };
    run(database, carryOut);
    await expect.poll(() => failed.length).toBeGreaterThanOrEqual(21);
    expect(Math.max(...atOnce)).toBe(1);
    const rows = await database.prisma.outbox.findMany();
    expect(rows).toHaveLength(60);
    for (const row of rows) expect(row.status).toBe('PENDING');
    expect(rows.filter(({ attempts }) => attempts === 0).length).toBeGreaterThanOrEqual(60 - failed.length - 1);
    const reasons = rows.filter(({ lastError }) => lastError !== null).map(({ lastError }) => lastError);
    for (const reason of reasons) expect(reason).toMatch(/^gRPC (4|14)/);

    back = true;
    await expect.poll(() => outboxSize(database)).toBe(0);
    await endRuns(orders);
  });

  test('a relay says so until it has nothing that Temporal could take', async ({ database }) => {
    await takeIn(database);
    await makeDue(database);
    const relay = run(database, await nobody());
    await expect.poll(() => relay.trouble).toBe('unreachable');
    await database.pool.query('DELETE FROM outbox');
    await expect.poll(() => relay.trouble).toBeUndefined();
  });

  test('a relay that is told to stop stops, and gives up no row', async ({ database }) => {
    await takeInMany(database, 5);
    await makeDue(database);
    const relay = startRelay({ pool: database.pool, log, carryOut: await nobody(), pollMs: 50 });
    await expect.poll(() => relay.lastPollAt).toBeDefined();
    await relay.stop();
    expect(await outboxSize(database)).toBe(5);
  });
});

describe('a command', () => {
  test('reaches the run of its round, waits for one that is not there yet, and is dropped after it', async ({
    database,
  }) => {
    const start = await takeIn(database, {}, 600_000);
    await database.pool.query('DELETE FROM outbox');
    const { leadId } = start;
    const handle = client.workflow.getHandle(onboardingWorkflowId(leadId));
    const stand = (data: object) => database.prisma.onboarding.update({ where: { leadId }, data });
    const { log: heard, lines } = recordLog();
    const said = () => lines.splice(0).map(({ msg }) => msg);
    async function tell(round: number): Promise<number> {
      const { organizationId } = start;
      const payload = { signal: 'enrichNow', round, requestId: 'request-1' };
      await database.pool.query('DELETE FROM outbox');
      await database.prisma.outbox.create({
        data: { id: uuidv7(), kind: 'SIGNAL_ONBOARDING', leadId, organizationId, payload, availableAt: new Date(0) },
      });
      await relayOnce({ pool: database.pool, carryOut: carrierTo(client, heard), log: heard });
      return outboxSize(database);
    }
    const signals = async () =>
      ((await handle.fetchHistory()).events ?? []).filter((event) => event.workflowExecutionSignaledEventAttributes)
        .length;

    expect(await tell(1)).toBe(1);
    expect(said()).toEqual(['order deferred']); // there is no run yet
    await carry(start);
    expect(await tell(1)).toBe(0);
    expect(said()).toEqual(['command passed on']);
    expect(await signals()).toBe(1);

    await stand({ round: 2 });
    expect(await tell(1)).toBe(0);
    expect(said()).toEqual(['command passed on']); // to the run of its own round, which is there yet
    expect(await tell(2)).toBe(1);
    await handle.terminate();
    expect(await tell(2)).toBe(1);
    expect(said()).toEqual(['order deferred', 'order deferred']);
    await carry({ ...start, payload: { ...start.payload, round: 2 } });
    expect(await tell(1)).toBe(0);
    expect(said()).toEqual(['command came too late']);
    expect(await signals()).toBe(0);
    expect(await tell(2)).toBe(0);
    expect(await signals()).toBe(1);
    await handle.terminate();
    await stand({ state: 'COMPLETED' });
    lines.splice(0);
    expect(await tell(2)).toBe(0);
    expect(said()).toEqual(['command came too late']);
  });

  test('is dropped when its round is over, although Temporal has forgotten the run', async ({ database }) => {
    const { leadId, organizationId } = await takeIn(database);
    await database.pool.query('DELETE FROM outbox');
    await database.prisma.onboarding.update({ where: { leadId }, data: { state: 'COMPLETED' } });
    const payload = { signal: 'enrichNow', round: 1, requestId: 'request-1' };
    await database.prisma.outbox.create({
      data: { id: uuidv7(), kind: 'SIGNAL_ONBOARDING', leadId, organizationId, payload, availableAt: new Date(0) },
    });
    await relayOnce({ pool: database.pool, carryOut: carry, log });
    expect(await outboxSize(database)).toBe(0);
  });
});
