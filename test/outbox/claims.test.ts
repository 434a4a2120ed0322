import { beforeEach, describe, expect } from 'vitest';
import { attemptOrder } from '../../src/outbox/attempt.ts';
import { buryOrder, type ClaimedRow, claimOrders, completeOrder, deferOrder } from '../../src/outbox/store.ts';
import type { TestDatabase } from '../support/database.ts';
import { recordLog } from '../support/log.ts';
import { takeIn, test } from '../support/onboarding.ts';
import { relayOnce } from '../support/relay.ts';
import { holdOrder } from '../support/row-lock.ts';

const { log } = recordLog();

const makeDue = ({ pool }: TestDatabase) => pool.query("UPDATE outbox SET available_at = now() - interval '1 second'");

async function claimOne(database: TestDatabase): Promise<ClaimedRow> {
  await makeDue(database);
  const [row] = await claimOrders(database.pool, 1);
  if (!row) throw new Error('There is nothing to claim');
  return row;
}

beforeEach<{ database: TestDatabase }>(async ({ database }) => {
  await database.pool.query('DELETE FROM outbox');
});

describe('a claim', () => {
  test('gives each row to one of several copies', async ({ database }) => {
    await Promise.all(Array.from({ length: 30 }, () => takeIn(database)));
    await makeDue(database);
    const claims = await Promise.all([1, 2, 3, 4].map(() => claimOrders(database.pool, 10)));
    expect(claims.every((rows) => rows.length <= 10)).toBe(true);
    const ids = claims.flat().map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids.length).toBe(30);
  });

  test('passes over a row that another copy is just taking, and does not wait for it', async ({ database }) => {
    const [taken, free] = [await takeIn(database), await takeIn(database)];
    await makeDue(database);
    await holdOrder(database, taken.id);
    const claimed = await claimOrders(database.pool, 10);
    expect(claimed.map(({ id }) => id)).toEqual([free.id]);
  });

  test('ends by itself, so that the rows of a relay that died come back', async ({ database }) => {
    await takeIn(database);
    const { id } = await claimOne(database);
    const { rows } = await database.pool.query(
      `SELECT available_at - clock_timestamp() BETWEEN interval '15 seconds' AND interval '21 seconds' AS leased
       FROM outbox WHERE id = $1`,
      [id],
    );
    expect(rows).toEqual([{ leased: true }]);
    expect(await claimOrders(database.pool, 1)).toEqual([]);
  });

  const endings: [string, (database: TestDatabase, claim: ClaimedRow) => Promise<void>][] = [
    ['complete', ({ pool }, claim) => completeOrder(pool, claim)],
    ['defer', ({ pool }, claim) => deferOrder(pool, claim, 'too late', 3_600_000)],
    ['bury', ({ pool }, claim) => buryOrder(pool, claim, 'too late')],
  ];
  test.for(endings)('that has run out cannot %s what somebody else has now', async ([, end], { database }) => {
    await takeIn(database);
    const first = await claimOne(database);
    const second = await claimOne(database);
    expect(second.id).toBe(first.id);
    const before = await database.prisma.outbox.findMany();
    await end(database, first);
    expect(await database.prisma.outbox.findMany()).toEqual(before);
    await completeOrder(database.pool, second);
    expect(await database.prisma.outbox.count()).toBe(0);
  });

  test('of a process that was frozen in its call does no harm when it thaws', async ({ database }) => {
    await takeIn(database);
    let thaw: (err: Error) => void = () => undefined;
    const frozen = new Promise<void>((_, reject) => (thaw = reject));
    const late = attemptOrder({ pool: database.pool, log, carryOut: () => frozen }, await claimOne(database), () => 0);

    const failing = () => Promise.reject(new TypeError('by the test'));
    const { pool } = database;
    await attemptOrder({ pool, log, carryOut: failing }, await claimOne(database), () => 3_600_000);
    const before = await database.prisma.outbox.findMany();
    expect(before).toMatchObject([{ attempts: 2, lastError: 'TypeError' }]);
    thaw(new Error('by the test'));
    expect(await late).toBe('retry');
    expect(await database.prisma.outbox.findMany()).toEqual(before);
  });
});

describe('what newer code has written', () => {
  test('is claimed by code that does not know it, and left to the newer, with one warning for each order', async ({
    database,
  }) => {
    const { pool } = database;
    for (const change of [`outbox_kind ADD VALUE 'CALL_LEAD'`, `outbox_status ADD VALUE 'HELD'`])
      await pool.query(`ALTER TYPE ${change}`);
    const [known, unknown, held] = [await takeIn(database), await takeIn(database), await takeIn(database)];
    await pool.query(`UPDATE outbox SET kind = 'CALL_LEAD', payload = '{}' WHERE id = $1`, [unknown.id]);
    await pool.query(`UPDATE outbox SET status = 'HELD' WHERE id = $1`, [held.id]);
    const { log: ownLog, lines } = recordLog();
    const done: string[] = [];
    const carryOut = (order: { id: string }) => Promise.resolve(void done.push(order.id));
    for (let pass = 0; pass < 3; pass += 1) {
      await makeDue(database);
      await relayOnce({ pool, log: ownLog, carryOut });
    }
    const { rows } = await pool.query(
      'SELECT id, status::text, attempts, last_error AS "lastError" FROM outbox ORDER BY id',
    );
    expect(rows).toEqual([
      { id: unknown.id, status: 'PENDING', attempts: 3, lastError: 'Not known to this release: kind' },
      { id: held.id, status: 'HELD', attempts: 0, lastError: null },
    ]);
    expect(done).toEqual([known.id]);
    expect(lines.filter(({ order }) => order === unknown.id)).toMatchObject([
      { msg: 'order left to a newer release', kind: 'CALL_LEAD' },
    ]);
  });
});
