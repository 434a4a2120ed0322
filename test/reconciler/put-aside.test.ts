import { expect } from 'vitest';
import { reportPutAside } from '../../src/reconciler/put-aside.ts';
import { recordLog } from '../support/log.ts';
import { takeIn, test } from '../support/onboarding.ts';

test('orders that were put aside are reported in one line, counted, with some of them named', async ({ database }) => {
  const { log, lines } = recordLog();
  await Promise.all(Array.from({ length: 15 }, () => takeIn(database)));
  expect(await reportPutAside(database.pool, log)).toBe(0);
  expect(lines).toEqual([]);

  await database.pool.query(`UPDATE outbox SET status = 'DEAD', last_error = 'gRPC 3: by the test'`);
  expect(await reportPutAside(database.pool, log)).toBe(15);
  expect(lines).toHaveLength(1);
  const { total, examples } = lines[0] as unknown as { total: number; examples: object[] };
  expect(total).toBe(15);
  expect(examples).toHaveLength(10);
  expect(examples[0]).toMatchObject({ kind: 'START_ONBOARDING', reason: 'gRPC 3: by the test' });
});
