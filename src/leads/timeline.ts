import type { LeadEvent, Prisma } from '../db/generated/client.ts';
import { decodeCursor, toPage } from '../db/paging.ts';
import { ERASURE, erasedLeadCreatedAt } from './erasure-record.ts';
import { LeadNotFound } from './errors.ts';

export interface TimelinePage {
  leadId: string;
  limit: number;
  cursor?: string | undefined;
  /** Of its items together. */
  maxBytes?: number | undefined;
}

/**
 * What happened to a lead, the oldest first. `elapsedMs` counts from its creation, by the database's clock. An erased
 * lead has one entry, which says so.
 * @throws LeadNotFound, CursorError
 */
export async function readTimeline(db: Prisma.TransactionClient, { leadId, limit, cursor, maxBytes }: TimelinePage) {
  const lead = await db.lead.findUnique({ where: { id: leadId }, select: { createdAt: true } });
  const createdAt = lead?.createdAt ?? (await erasedLeadCreatedAt(db, leadId));
  if (!createdAt) throw new LeadNotFound(leadId);
  const after = cursor === undefined ? undefined : decodeTimelineCursor(cursor);
  const rows = await db.leadEvent.findMany({
    where: {
      leadId,
      ...(!lead && { type: ERASURE.type }),
      ...(after && { at: { gte: after.at }, OR: [{ at: { gt: after.at } }, { seq: { gt: after.seq } }] }),
    },
    orderBy: [{ at: 'asc' }, { seq: 'asc' }],
    take: limit + 1,
  });
  const position = (row: LeadEvent) => ({ at: row.at, id: row.seq.toString(16) });
  const toEntry = (row: LeadEvent) => ({
    id: row.id,
    type: row.type,
    at: row.at.toISOString(),
    elapsedMs: row.at.getTime() - createdAt.getTime(),
    data: { ...(row.data as Record<string, unknown>), metadata: row.metadata as Record<string, unknown> },
  });
  return toPage(rows, limit, position, toEntry, maxBytes);
}

/** Entries are told apart by their `seq`, in hexadecimal. */
function decodeTimelineCursor(cursor: string) {
  const { at, id } = decodeCursor(cursor, /^[\da-f]{1,15}$/);
  return { at, seq: BigInt(`0x${id}`) };
}
