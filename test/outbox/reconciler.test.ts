import { Client, Connection } from '@temporalio/client';
import { beforeEach, describe, expect } from 'vitest';
import { freePort } from '../../src/local/ports.ts';
import { carryOut } from '../../src/outbox/carry-out.ts';
import { type Order, orderSchema, type StartOrder } from '../../src/outbox/order.ts';
import { reconcileOnce } from '../../src/outbox/reconciler.ts';
import { relayOnce } from '../../src/outbox/relay.ts';
import { completeOrder } from '../../src/outbox/store.ts';
import { onboardingWorkflowId } from '../../workflows/contract.ts';
import type { TestDatabase } from '../support/database.ts';
import { recordLog } from '../support/log.ts';
import { takeIn, test } from '../support/onboarding.ts';
import { createTestClient } from '../support/temporal.ts';

const client = createTestClient();
const { log, lines } = recordLog();
const carry = (order: Order) =>
  carryOut({ client, log, searchAttributes: { known: true, forget: () => undefined } }, order);

const reconcile = ({ pool }: TestDatabase, change: Partial<Parameters<typeof reconcileOnce>[0]> = {}) =>
  reconcileOnce({ pool, client, log, intervalMs: 0, patienceMs: 0, enrichmentDelayMs: 50, ...change });

/** A lead whose order was carried out: its run is there, and no worker takes it on. */
async function started(database: TestDatabase): Promise<StartOrder> {
  const order = await takeIn(database);
  await carry(order);
  await completeOrder(database.pool, order.id);
  return order;
}

const runOf = ({ leadId }: StartOrder) => client.workflow.getHandle(onboardingWorkflowId(leadId));

describe('reconciler', () => {
  beforeEach<{ database: TestDatabase }>(async ({ database }) => {
    await database.pool.query('DELETE FROM outbox');
    await database.pool.query('DELETE FROM lead');
  });

  test('orders a lead again whose order was lost, and the relay starts it', async ({ database }) => {
    const order = await takeIn(database);
    await completeOrder(database.pool, order.id);
    expect(await reconcile(database)).toEqual({ 'under way': 0, 'ordered again': 1, reported: 0 });

    const [row] = await database.prisma.outbox.findMany();
    expect(orderSchema.parse(row)).toMatchObject({ leadId: order.leadId, payload: { round: 1, again: true } });
    await relayOnce({ pool: database.pool, carryOut: carry, log });
    expect((await runOf(order).describe()).status.name).toBe('RUNNING');
    await runOf(order).terminate();
  });

  test('orders a lead again whose run was terminated, and starts a new one', async ({ database }) => {
    const order = await started(database);
    const { runId } = await runOf(order).describe();
    await runOf(order).terminate();
    expect(await reconcile(database)).toMatchObject({ 'ordered again': 1 });
    await relayOnce({ pool: database.pool, carryOut: carry, log });
    const again = await runOf(order).describe();
    expect(again.status.name).toBe('RUNNING');
    expect(again.runId).not.toBe(runId);
    await runOf(order).terminate();
  });

  test('leaves alone what is under way, has an order, is over, or has just changed', async ({ database }) => {
    const underWay = await started(database);
    await takeIn(database);
    const over = await started(database);
    await runOf(over).terminate();
    await database.prisma.lead.update({ where: { id: over.leadId }, data: { onboardingState: 'FAILED' } });
    expect(await reconcile(database)).toEqual({ 'under way': 1, 'ordered again': 0, reported: 0 });
    await runOf(underWay).terminate();
    expect(await reconcile(database, { patienceMs: 60_000 })).toEqual({
      'under way': 0,
      'ordered again': 0,
      reported: 0,
    });
  });

  test('orders each lead once, whatever the number of rounds', async ({ database }) => {
    const order = await takeIn(database);
    await completeOrder(database.pool, order.id);
    await reconcile(database);
    await reconcile(database);
    expect(await database.prisma.outbox.count()).toBe(1);
  });

  test('goes through more leads than a page holds', async ({ database }) => {
    await Promise.all(Array.from({ length: 120 }, () => takeIn(database)));
    await database.pool.query('DELETE FROM outbox');
    expect(await reconcile(database)).toMatchObject({ 'ordered again': 120 });
  });

  test('reports a lead whose run ended well without Postgres knowing', async ({ database, onboard }) => {
    const run = await onboard();
    await run.handle.result();
    await database.pool.query('DELETE FROM outbox');
    await database.prisma.lead.update({ where: { id: run.leadId }, data: { onboardingState: 'RUNNING' } });
    expect(await reconcile(database)).toEqual({ 'under way': 0, 'ordered again': 0, reported: 1 });
    expect(lines.at(-1)).toMatchObject({ leadId: run.leadId, run: 'COMPLETED' });
  });

  test('changes nothing while Temporal is out of reach', async ({ database }) => {
    const order = await takeIn(database);
    await completeOrder(database.pool, order.id);
    const nobody = new Client({ connection: Connection.lazy({ address: `127.0.0.1:${await freePort()}` }) });
    await expect(reconcile(database, { client: nobody })).rejects.toThrow();
    expect(await database.prisma.outbox.count()).toBe(0);
  });
});

describe('a run that is started again', () => {
  test('takes no step twice: one notification, one score', async ({ database, onboard }) => {
    const run = await onboard({ delayMs: 600_000 });
    await expect.poll(() => run.timeline()).toContain('notification.created');
    await run.handle.terminate('by the test');
    await database.pool.query('DELETE FROM outbox');
    await reconcile(database);
    await relayOnce({ pool: database.pool, carryOut: carry, log });
    await expect.poll(() => run.timeline(), { timeout: 20_000 }).toContain('onboarding.completed');
    expect((await run.timeline()).filter((type) => type === 'notification.created')).toHaveLength(1);
    expect(await database.prisma.notification.count({ where: { leadId: run.leadId } })).toBe(1);
  });
});
