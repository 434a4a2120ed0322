import type { PrismaClient } from '../db/generated/client.ts';
import { cleanName } from '../db/visible-text.ts';
import type { Position } from '../events/position.ts';
import { readEnd } from '../events/read-feed.ts';
import type { Dues } from './due.ts';
import type { Message } from './send.ts';

const TYPE = 'notification.created';

interface ToldRow {
  id: string;
  organizationId: string;
  leadId: string;
  userId: string;
  type: string;
  title: string;
  message: string;
  actionUrl: string;
  createdAt: Date;
}

interface PlacedRow extends ToldRow {
  xid: string;
  seq: string;
  at: Date;
  entryLeadId: string;
}

/** What the operator's endpoint is told of next: the notifications of all organizations, as the inboxes have them. */
export async function readTold(prisma: PrismaClient, after: Position, limit: number): Promise<Dues> {
  const end = await readEnd(prisma);
  const rows = await prisma.$queryRaw<PlacedRow[]>`
    SELECT e.xid::text, e.seq::text, e.at, e.lead_id AS "entryLeadId", n.id, n.organization_id AS "organizationId",
           n.lead_id AS "leadId", n.user_id AS "userId", n.type, n.title, n.message, n.action_url AS "actionUrl",
           n.created_at AS "createdAt"
    FROM (SELECT xid, seq, at, lead_id, data FROM lead_event
          WHERE type = 'notification.created'
            AND (xid, seq) > (${String(after.xid)}::xid8, ${after.seq}::bigint) AND xid < ${String(end.xid)}::xid8
          ORDER BY xid, seq LIMIT ${limit}) AS e
    LEFT JOIN notification n ON n.id = (e.data ->> 'notificationId')::uuid
    ORDER BY e.xid, e.seq`;
  const placed = rows.map(({ xid, seq, at, entryLeadId: leadId, ...row }) => {
    return { row, position: { xid: BigInt(xid), seq: BigInt(seq) }, entry: { leadId, at, seq: BigInt(seq) } };
  });
  const due = placed
    .filter(({ row }) => (row.id as string | null) !== null) // the lead was erased
    .map(({ row, ...place }) => {
      return { message: toMessage(row), type: TYPE, attempts: 0, since: undefined, ...place };
    });
  const hasMore = rows.length === limit;
  return { due, next: hasMore ? placed.at(-1)?.position : end, hasMore };
}

/** One of them again; undefined when its lead was erased. */
export async function readToldOf(prisma: PrismaClient, id: string): Promise<Message | undefined> {
  const row = await prisma.notification.findUnique({ where: { id } });
  return row ? toMessage(row) : undefined;
}

/** The id of the message is that of the notification. */
function toMessage({ createdAt, ...row }: ToldRow): Message {
  const { id, organizationId, leadId, userId, type, title, message, actionUrl } = row;
  const timestamp = createdAt.toISOString();
  const told = { id, organizationId, leadId, userId, type, title, message: cleanName(message), actionUrl };
  return { id, body: JSON.stringify({ type: TYPE, timestamp, data: { ...told, createdAt: timestamp } }) };
}
