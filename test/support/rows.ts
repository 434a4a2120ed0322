import type { TestDatabase } from './database.ts';

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
