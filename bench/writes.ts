import { setTimeout as sleep } from 'node:timers/promises';
import { createLeadActivities } from '../activities/lead.ts';
import { createNotificationActivities } from '../activities/notification.ts';
import { builtInProviders } from '../src/enrichment/built-in.ts';
import { EXAMPLE_LEAD } from '../src/leads/example-lead.ts';
import { intakeLead } from '../src/leads/intake.ts';
import { submissionSchema } from '../src/leads/submission.ts';
import { completeOrder } from '../src/outbox/store.ts';
import { runActivity } from '../test/support/activity.ts';
import { type BenchDatabase, withPostgres } from './postgres.ts';

/** What an onboarding writes: rows by table, how many updates stay on their page (HOT), and bytes of WAL. */
const LEADS = Number(process.argv[2] ?? 500);
const WARM_UP = 50;
const AT_ONCE = 10;

interface Row {
  table: string;
  inserts: number;
  updates: number;
  hot: number;
  deletes: number;
}

await withPostgres(async (database) => {
  await onboard(database, WARM_UP); // plans, caches and the first pages
  await database.pool.query('CHECKPOINT');
  const before = await counts(database, WARM_UP);
  await onboard(database, LEADS);
  const after = await counts(database, WARM_UP + LEADS);
  const rows = after.rows.flatMap((row) => {
    const old = before.rows.find(({ table }) => table === row.table);
    const change = { ...row };
    for (const key of ['inserts', 'updates', 'hot', 'deletes'] as const) change[key] -= old?.[key] ?? 0;
    return change.inserts + change.updates + change.deletes > 0 ? [change] : [];
  });
  console.table(rows);
  const sum = (key: 'updates' | 'hot') => rows.reduce((total, row) => total + row[key], 0);
  const share = (100 * sum('hot')) / sum('updates');
  console.log(
    `${LEADS} onboardings: ${(sum('updates') / LEADS).toFixed(1)} updates each, ${share.toFixed(1)} % of them HOT`,
  );
  console.log(`WAL: ${Math.round((after.wal - before.wal) / LEADS)} bytes each`);
});

async function onboard({ pool, prisma }: BenchDatabase, count: number): Promise<void> {
  const { notifyAssignee } = createNotificationActivities({ pool });
  const { enrichLead, scoreLead } = createLeadActivities({ pool, prisma, providers: builtInProviders });
  let taken = 0;
  const one = async () => {
    while (taken < count) {
      taken += 1;
      const submission = submissionSchema.parse({
        ...EXAMPLE_LEAD,
        email: `lead-${process.hrtime.bigint()}@example.com`,
      });
      const { organizationId } = submission;
      const caller = { keyId: null, userId: null, ipAddress: null, userAgent: null, requestId: 'bench' };
      const request = { organizationId, submission, caller, idempotencyKey: undefined, orderDelayMs: 60_000 };
      const result = await intakeLead(pool, { enrichmentDelayMs: 0, idempotencyTtlHours: 24 }, request);
      if (result.outcome !== 'created') throw new Error(result.outcome);
      const { order } = result;
      await completeOrder(pool, { id: order.id, attempts: 0 });
      const ref = { leadId: order.leadId, organizationId, round: 1, requestId: 'bench' };
      const { outcome: notified } = await runActivity(notifyAssignee, ref);
      const { outcome } = await runActivity(enrichLead, ref);
      await runActivity(scoreLead, { ...ref, enrichment: { outcome }, notification: { outcome: notified } });
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, one));
}

/** @param stored leads that have been onboarded by now */
async function counts({ pool }: BenchDatabase, stored: number) {
  const read = async () =>
    (
      await pool.query<Row>(
        `SELECT relname AS table, n_tup_ins::int AS inserts, n_tup_upd::int AS updates, n_tup_hot_upd::int AS hot,
                n_tup_del::int AS deletes FROM pg_stat_user_tables ORDER BY 1`,
      )
    ).rows;
  const insertsOf = (rows: Row[], name: string) => rows.find(({ table }) => table === name)?.inserts ?? 0;
  let rows = await read();
  // Sessions report what they did when they have been idle for ten seconds.
  while (insertsOf(rows, 'score') < stored) {
    await sleep(500);
    rows = await read();
  }
  const wal = await pool.query<{ bytes: string }>(`SELECT pg_current_wal_insert_lsn() - '0/0' AS bytes`);
  return { rows, wal: Number(wal.rows[0]?.bytes) };
}
