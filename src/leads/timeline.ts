import type { Prisma } from '../db/generated/client.ts';
import { decodeCursor, toPage } from '../paging.ts';
import { getLead } from './read.ts';

export interface TimelinePage {
  leadId: string;
  limit: number;
  cursor?: string | undefined;
}

/**
 * What happened to a lead, the oldest first. `elapsedMs` counts from its creation, by the database's clock.
 * @throws LeadNotFound, CursorError
 */
export async function readTimeline(db: Prisma.TransactionClient, { leadId, limit, cursor }: TimelinePage) {
  const { lead } = await getLead(db, leadId);
  const createdAt = Date.parse(lead.createdAt);
  const after = cursor === undefined ? undefined : decodeTimelineCursor(cursor);
  const rows = await db.leadEvent.findMany({
    where: {
      leadId,
      ...(after && { at: { gte: after.at }, OR: [{ at: { gt: after.at } }, { seq: { gt: after.seq } }] }),
    },
    orderBy: [{ at: 'asc' }, { seq: 'asc' }],
    take: limit + 1,
  });
  const { items, nextCursor } = toPage(rows, limit, (row) => ({ at: row.at, id: row.seq.toString(16) }));
  return {
    items: items.map((row) => ({
      id: row.id,
      type: row.type,
      at: row.at.toISOString(),
      elapsedMs: row.at.getTime() - createdAt,
      data: { ...(row.data as Record<string, unknown>), metadata: row.metadata as Record<string, unknown> },
    })),
    nextCursor,
  };
}

/** Entries are told apart by their `seq`, in hexadecimal. */
function decodeTimelineCursor(cursor: string) {
  const { at, id } = decodeCursor(cursor, /^[\da-f]{1,15}$/);
  return { at, seq: BigInt(`0x${id}`) };
}
