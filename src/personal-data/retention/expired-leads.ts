import { Prisma } from '../../db/generated/client.ts';
import type { ExpiredPage, ExpiryQuery } from '../../../workflows/retention-contract.ts';

/**
 * Nobody has done anything with it for the period, by the database's clock. What people do is noted to the hour, so an
 * hour is given on top: no lead goes too early.
 */
const isExpired = (retentionDays: number) =>
  Prisma.sql`lead.active_at < now() - ${retentionDays} * interval '1 day' - interval '1 hour'`;

/** A page of the leads whose period is over, the one that was left alone the longest first. */
export async function findExpiredLeads(
  db: Prisma.TransactionClient,
  { retentionDays, pageSize, after }: ExpiryQuery,
): Promise<ExpiredPage> {
  const further = after
    ? Prisma.sql`(lead.active_at, lead.id) > (${after.updatedAt}::timestamptz, ${after.leadId}::uuid)`
    : Prisma.sql`true`;
  const rows = await db.$queryRaw<{ id: string; activeAt: Date }[]>`
    SELECT id, active_at AS "activeAt" FROM lead WHERE ${further} AND ${isExpired(retentionDays)}
    ORDER BY active_at, id LIMIT ${pageSize}`;
  const last = rows.at(-1);
  return {
    leadIds: rows.map(({ id }) => id),
    ...(last && rows.length === pageSize && { next: { updatedAt: last.activeAt.toISOString(), leadId: last.id } }),
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
