import { describe, expect } from 'vitest';
import { createFastStart } from '../../src/outbox/fast-start.ts';
import { claimOrders } from '../../src/outbox/store.ts';
import { recordLog } from '../support/log.ts';
import { takeIn, test } from '../support/onboarding.ts';

const { log } = recordLog();

describe('fast start', () => {
  test('has no slot past its bound, and gets each back', async ({ database }) => {
    let release: () => void = () => undefined;
    const held = new Promise<void>((resolve) => (release = resolve));
    const fastStart = createFastStart({ pool: database.pool, log, slots: 2, carryOut: () => held });
    const orders = await Promise.all([takeIn(database), takeIn(database)]);
    const slots = [fastStart.takeSlot(), fastStart.takeSlot()];
    const delays = () => [fastStart.takeSlot(), fastStart.takeSlot()].map(({ orderDelayMs }) => orderDelayMs);
    expect(delays()).toEqual([0, 0]);
    for (const [index, order] of orders.entries()) slots[index]?.run(order);
    release();
    await fastStart.idle();
    expect(delays()).toEqual([6_000, 6_000]);
    const ids = orders.map(({ id }) => id);
    expect(await database.prisma.outbox.count({ where: { id: { in: ids } } })).toBe(0);
  });

  test('gives a slot back that no order was written for', ({ database }) => {
    const fastStart = createFastStart({ pool: database.pool, log, slots: 1, carryOut: () => Promise.resolve() });
    for (let i = 0; i < 3; i += 1) {
      const slot = fastStart.takeSlot();
      expect(slot.orderDelayMs).toBe(6_000);
      slot.release();
    }
  });

  test('hands what failed to the relays at once', async ({ database }) => {
    await database.pool.query('DELETE FROM outbox');
    const carryOutOrder = () => Promise.reject(new Error('by the test'));
    const fastStart = createFastStart({ pool: database.pool, log, slots: 1, carryOut: carryOutOrder });
    const order = await takeIn(database);
    fastStart.takeSlot().run(order);
    await fastStart.idle();
    expect((await claimOrders(database.pool, 1)).map(({ id }) => id)).toEqual([order.id]);
  });

  test('that was frozen does not touch an order that a relay has taken meanwhile', async ({ database }) => {
    await database.pool.query('DELETE FROM outbox');
    let thaw: () => void = () => undefined;
    const frozen = new Promise<void>((resolve) => (thaw = resolve));
    const fastStart = createFastStart({ pool: database.pool, log, slots: 1, carryOut: () => frozen });
    const order = await takeIn(database);
    fastStart.takeSlot().run(order);
    await database.pool.query("UPDATE outbox SET available_at = now() - interval '1 second'");
    expect(await claimOrders(database.pool, 1)).toHaveLength(1);
    thaw();
    await fastStart.idle();
    expect(await database.prisma.outbox.findMany()).toMatchObject([{ id: order.id, attempts: 1 }]);
  });
});
