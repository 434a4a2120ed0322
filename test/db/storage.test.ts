import { expect } from 'vitest';
import { readInboxState } from '../../src/notifications/inbox.ts';
import { createInbox } from '../support/notifications.ts';
import { test } from '../support/onboarding.ts';

/** Tables whose rows live shortly or are changed over and over, with the share of a page that new rows may fill. */
const BUSY = {
  enrichment_budget: '50',
  enrichment_cache: undefined,
  enrichment_circuit: '50',
  enrichment_run: '70',
  idempotency_key: '80',
  inbox: '50',
  outbox: undefined,
  rate_limit: '50',
};

test('tables that work as queues and counters are vacuumed soon, whatever size they once had', async ({ database }) => {
  const { rows } = await database.pool.query<{ table: string; options: Record<string, string> }>(
    `SELECT c.relname AS table, jsonb_object_agg(o.option_name, o.option_value) AS options
     FROM pg_class c, pg_options_to_table(c.reloptions) AS o
     WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' GROUP BY 1 ORDER BY 1`,
  );
  expect(Object.fromEntries(rows.map(({ table, options }) => [table, options['fillfactor']]))).toMatchObject(BUSY);
  for (const { table, options } of rows.filter((row) => row.table in BUSY)) {
    expect(Number(options['autovacuum_vacuum_scale_factor']), table).toBeLessThanOrEqual(0.02);
    expect(Number(options['autovacuum_vacuum_threshold']), table).toBeLessThanOrEqual(10_000);
  }
});

test('an inbox that many notifications come into writes no index', async ({ database }) => {
  const inbox = await createInbox(database);
  await inbox.add();
  const { updated, hot } = await database.prisma.$transaction(async (tx) => {
    await tx.notification.createMany({ data: Array.from({ length: 10 }, () => inbox.compose()) });
    const [counts] = await tx.$queryRaw<{ updated: number; hot: number }[]>`
      SELECT n_tup_upd::integer AS updated, n_tup_hot_upd::integer AS hot
      FROM pg_stat_xact_user_tables WHERE relname = 'inbox'`;
    return counts ?? { updated: 0, hot: 0 };
  });
  expect(updated).toBeGreaterThanOrEqual(20);
  expect(hot).toBe(updated);
  expect(await readInboxState(database.prisma, inbox.owner)).toMatchObject({ unreadCount: 11, lastNumber: 11 });
});
