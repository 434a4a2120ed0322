import type pg from 'pg';
import type { OnboardingState, ScoreBand } from '../../workflows/contract.ts';
import type { Prisma } from '../../src/db/generated/client.ts';
import type { TestDatabase } from './database.ts';

/** Stores leads whose onboarding has not begun, and which nobody watches. */
export async function storeLeads(
  { prisma }: TestDatabase,
  data: (Prisma.LeadRecordCreateManyInput & { id: string })[],
) {
  await prisma.leadRecord.createMany({ data });
  await prisma.onboarding.createMany({
    data: data.map(({ id, organizationId }) => ({ leadId: id, organizationId })),
  });
}

/** Does to a lead what the steps of its onboarding would. */
export async function onboardByHand(
  { prisma }: Pick<TestDatabase, 'prisma'>,
  leadId: string,
  {
    score,
    band,
    state,
    enrichment,
  }: { score?: number; band?: ScoreBand; state?: OnboardingState; enrichment?: object },
): Promise<void> {
  const { organizationId, createdAt } = await prisma.lead.findUniqueOrThrow({ where: { id: leadId } });
  const own = { leadId, organizationId };
  if (score !== undefined && band) {
    const data = { ...own, score, band, breakdown: [{ points: score }], leadCreatedAt: createdAt };
    await prisma.leadScore.upsert({ where: { leadId }, create: data, update: data });
  }
  if (enrichment) await prisma.leadEnrichment.create({ data: { ...own, document: enrichment } });
  if (state) await prisma.onboarding.update({ where: { leadId }, data: { state } });
}

/** How many rows each table has, to see that nothing was stored. */
export async function countRows({ prisma }: Pick<TestDatabase, 'prisma'>) {
  const [lead, leadEvent, outbox, notification, idempotencyKey] = await Promise.all([
    prisma.lead.count(),
    prisma.leadEvent.count(),
    prisma.outbox.count(),
    prisma.notification.count(),
    prisma.idempotencyKey.count(),
  ]);
  return { lead, leadEvent, outbox, notification, idempotencyKey };
}

/** Every table that belongs to organizations, as the database itself knows them. */
export async function tenantTables({ pool }: TestDatabase): Promise<string[]> {
  const { rows } = await pool.query<{ table: string }>(
    `SELECT c.relname AS table FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
     WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND a.attname = 'organization_id'
     ORDER BY 1`,
  );
  return rows.map(({ table }) => table);
}

/** All that an organization has, but for when its keys were used. */
export async function rowsOf(database: TestDatabase, organizationId: string): Promise<Record<string, unknown[]>> {
  const found: Record<string, unknown[]> = {};
  for (const table of await tenantTables(database)) {
    const { rows } = await database.pool.query(
      `SELECT to_jsonb(t) - 'last_used_at' AS row FROM ${table} t WHERE organization_id = $1 ORDER BY 1`,
      [organizationId],
    );
    found[table] = rows;
  }
  return found;
}

/**
 * How many rows and entries of indexes a connection has read, as far as it has not reported that yet. What it read
 * before a transaction may still be among them: only a difference tells what was read in between.
 */
export async function rowsRead(connection: Pick<pg.PoolClient, 'query'>): Promise<number> {
  const { rows } = await connection.query<{ read: number }>(
    `SELECT sum(pg_stat_get_xact_tuples_returned(oid))::int AS read FROM pg_class
     WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'i')`,
  );
  return rows[0]?.read ?? NaN;
}
