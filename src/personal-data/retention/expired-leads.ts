import { Prisma } from '../../db/generated/client.ts';
import type { ExpiredPage, ExpiryQuery } from '../../../workflows/retention-contract.ts';

/** Not changed, touched or otherwise written about for the period, nor created in it. By the database's clock. */
function isExpired(retentionDays: number): Prisma.Sql {
  const end = Prisma.sql`(now() - ${retentionDays} * interval '1 day')`;
  return Prisma.sql`lead.updated_at < ${end}
    AND coalesce((SELECT max(at) FROM lead_event WHERE lead_id = lead.id), lead.updated_at) < ${end}`;
}

/** A page of the leads whose period is over, the one that was left alone the longest first. */
export async function findExpiredLeads(
  db: Prisma.TransactionClient,
  { retentionDays, pageSize, after }: ExpiryQuery,
): Promise<ExpiredPage> {
  const further = after
    ? Prisma.sql`(lead.updated_at, lead.id) > (${after.updatedAt}::timestamptz, ${after.leadId}::uuid)`
    : Prisma.sql`true`;
  const rows = await db.$queryRaw<{ id: string; updatedAt: Date }[]>`
    SELECT id, updated_at AS "updatedAt" FROM lead WHERE ${further} AND ${isExpired(retentionDays)}
    ORDER BY updated_at, id LIMIT ${pageSize}`;
  const last = rows.at(-1);
  return {
    leadIds: rows.map(({ id }) => id),
    ...(last && rows.length === pageSize && { next: { updatedAt: last.updatedAt.toISOString(), leadId: last.id } }),
  };
}

/** Says whether it still is, for somebody who holds the lead's row. */
export async function isLeadExpired(
  db: Prisma.TransactionClient,
  leadId: string,
  retentionDays: number,
): Promise<boolean> {
  const rows = await db.$queryRaw<unknown[]>`
    SELECT 1 FROM lead WHERE id = ${leadId}::uuid AND ${isExpired(retentionDays)}`;
  return rows.length > 0;
}
