import { Client, Connection } from '@temporalio/client';
import { beforeEach, describe, expect } from 'vitest';
import { carryOut } from '../../src/outbox/carry-out.ts';
import { createFastStart } from '../../src/outbox/fast-start.ts';
import type { Order } from '../../src/outbox/order.ts';
import { relayOnce } from '../../src/outbox/relay.ts';
import { claimOrders } from '../../src/outbox/store.ts';
import { onboardingWorkflowId } from '../../workflows/contract.ts';
import type { TestDatabase } from '../support/database.ts';
import { recordLog } from '../support/log.ts';
import { takeIn, test } from '../support/onboarding.ts';
import { createTestClient } from '../support/temporal.ts';
import { freePort } from '../../src/local/ports.ts';

const { log } = recordLog();
const searchAttributes = { known: true, forget: () => undefined };

const carrierTo = (client: Client) => (order: Order) => carryOut({ client, searchAttributes, log }, order);

const makeDue = ({ pool }: TestDatabase) => pool.query('UPDATE outbox SET available_at = clock_timestamp()');

describe('relay', () => {
  beforeEach<{ database: TestDatabase }>(async ({ database }) => {
    await database.pool.query('DELETE FROM outbox');
  });

  test('starts what no API process has, and empties the outbox', async ({ database }) => {
    const client = createTestClient();
    const orders = await Promise.all([takeIn(database), takeIn(database), takeIn(database)]);
    await makeDue(database);
    await relayOnce({ pool: database.pool, carryOut: carrierTo(client), log });

    expect(await database.prisma.outbox.count()).toBe(0);
    for (const { leadId } of orders) {
      const handle = client.workflow.getHandle(onboardingWorkflowId(leadId));
      expect((await handle.describe()).status.name).toBe('RUNNING');
      await handle.terminate();
    }
  });

  test('counts a run that exists already as started', async ({ database }) => {
    const client = createTestClient();
    const order = await takeIn(database);
    await carrierTo(client)(order);
    const handle = client.workflow.getHandle(onboardingWorkflowId(order.leadId));
    const { runId } = await handle.describe();
    await makeDue(database);
    await relayOnce({ pool: database.pool, carryOut: carrierTo(client), log });
    expect((await handle.describe()).runId).toBe(runId);
    await handle.terminate();
    await carrierTo(client)(order);
    expect((await handle.describe()).runId).toBe(runId);
    expect(await database.prisma.outbox.count()).toBe(0);
  });

  test('leaves a row alone while the process that wrote it has it in hand', async ({ database }) => {
    await takeIn(database);
    expect(await claimOrders(database.pool, 10)).toEqual([]);
  });

  test('gives each row to one of several copies', async ({ database }) => {
    await Promise.all(Array.from({ length: 30 }, () => takeIn(database)));
    await makeDue(database);
    const claims = await Promise.all([1, 2, 3, 4].map(() => claimOrders(database.pool, 10)));
    const ids = claims.flat().map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids.length).toBe(30);
  });

  test('keeps a row, with the reason, while Temporal is out of reach', async ({ database }) => {
    const nobody = new Client({ connection: Connection.lazy({ address: `127.0.0.1:${await freePort()}` }) });
    await takeIn(database);
    await makeDue(database);
    const more = await relayOnce({ pool: database.pool, carryOut: carrierTo(nobody), log });
    expect(more).toBe(false);
    const [row] = await database.prisma.outbox.findMany();
    expect(row).toMatchObject({
      status: 'PENDING',
      attempts: 1,
      lastError: expect.stringMatching(/^gRPC (4|14)/) as string,
    });
    expect(row?.availableAt.getTime()).toBeLessThan(Date.now() + 5_000);
  });

  test('puts impossible rows aside after one try, with the reason, and carries out the others', async ({
    database,
  }) => {
    const client = createTestClient();
    const [refused, garbled, good] = [await takeIn(database), await takeIn(database), await takeIn(database)];
    const tooLong = 'x'.repeat(5_000); // more than Temporal takes as a search attribute
    await database.pool.query('UPDATE outbox SET organization_id = $2 WHERE id = $1', [refused.id, tooLong]);
    await database.pool.query(`UPDATE outbox SET payload = '{"round": 0}' WHERE id = $1`, [garbled.id]);
    await makeDue(database);
    await relayOnce({ pool: database.pool, carryOut: carrierTo(client), log });

    expect(await database.prisma.outbox.findMany({ orderBy: { createdAt: 'asc' } })).toMatchObject([
      { id: refused.id, status: 'DEAD', attempts: 1, lastError: expect.stringContaining('gRPC 3') as string },
      { id: garbled.id, status: 'DEAD', attempts: 1, lastError: expect.stringContaining('payload.round') as string },
    ]);
    await client.workflow.getHandle(onboardingWorkflowId(good.leadId)).terminate();
    await makeDue(database);
    expect(await claimOrders(database.pool, 10)).toEqual([]);
  });
});

describe('a command', () => {
  test('that was meant for an earlier round does not reach the next', async ({ database }) => {
    const client = createTestClient();
    const start = await takeIn(database, {}, 600_000);
    await carrierTo(client)({ ...start, payload: { ...start.payload, round: 2 } });
    const enrichNow = (round: number): Order => ({
      ...start,
      kind: 'SIGNAL_ONBOARDING',
      payload: { signal: 'enrichNow', round, requestId: 'request-1' },
    });
    const handle = client.workflow.getHandle(onboardingWorkflowId(start.leadId));
    const signals = async () =>
      ((await handle.fetchHistory()).events ?? []).filter((event) => event.workflowExecutionSignaledEventAttributes)
        .length;

    await carrierTo(client)(enrichNow(1));
    expect(await signals()).toBe(0);
    await carrierTo(client)(enrichNow(2));
    expect(await signals()).toBe(1);
    await expect(carrierTo(client)(enrichNow(3))).rejects.toThrow('earlier round');
    await handle.terminate();
  });
});

describe('fast start', () => {
  test('has no slot past its bound, and gives each back', async ({ database }) => {
    let release: () => void = () => undefined;
    const held = new Promise<void>((resolve) => (release = resolve));
    const fastStart = createFastStart({ pool: database.pool, log, slots: 2, carryOut: () => held });
    const orders = await Promise.all([takeIn(database), takeIn(database)]);
    expect([fastStart.reserve(), fastStart.reserve(), fastStart.reserve()]).toEqual([true, true, false]);
    for (const order of orders) fastStart.run(order);
    release();
    await fastStart.idle();
    expect([fastStart.reserve(), fastStart.reserve()]).toEqual([true, true]);
    const ids = orders.map(({ id }) => id);
    expect(await database.prisma.outbox.count({ where: { id: { in: ids } } })).toBe(0);
  });

  test('hands what failed to the relay at once', async ({ database }) => {
    await database.pool.query('DELETE FROM outbox');
    const carryOutOrder = () => Promise.reject(new Error('by the test'));
    const fastStart = createFastStart({ pool: database.pool, log, slots: 1, carryOut: carryOutOrder });
    const order = await takeIn(database);
    fastStart.reserve();
    fastStart.run(order);
    await fastStart.idle();
    expect((await claimOrders(database.pool, 1)).map(({ id }) => id)).toEqual([order.id]);
  });
});
