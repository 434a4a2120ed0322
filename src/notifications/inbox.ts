import type { Prisma } from '../db/generated/client.ts';
import { decodeCursor, toPage } from '../db/paging.ts';
import { toNotification } from './notification.ts';

/** Tells cursors of inboxes from others: they end with a number that Postgres' `integer` holds. */
const CURSOR_ID = /^\d{1,9}$/;

/** Whose inbox. */
export interface Inbox {
  organizationId: string;
  userId: string;
}

/** No such notification, or none that the caller may see. */
export class NotificationNotFound extends Error {
  override name = 'NotificationNotFound';
  constructor(id: string) {
    super(`There is no notification ${id}.`);
  }
}

/**
 * A page of an inbox, the newest first, with the count of all that is unread in it. `lastNumber` is where a stream
 * goes on: what it sends after that number is not in this list, and nothing is in neither.
 * @throws CursorError
 */
export async function listNotifications(
  db: Prisma.TransactionClient,
  inbox: Inbox,
  page: { unread?: boolean | undefined; limit: number; cursor?: string | undefined },
) {
  const { lastNumber, unreadCount } = await readInboxState(db, inbox);
  const newest = page.cursor === undefined ? lastNumber : Number(decodeCursor(page.cursor, CURSOR_ID).id) - 1;
  const rows = await db.notification.findMany({
    where: {
      ...inbox,
      number: { lte: newest },
      ...(page.unread === true && { readAt: null }),
      ...(page.unread === false && { readAt: { not: null } }),
    },
    orderBy: { number: 'desc' },
    take: page.limit + 1,
  });
  const listed = toPage(rows, page.limit, (row) => ({ at: row.createdAt, id: String(row.number) }), toNotification);
  return { ...listed, unreadCount, lastNumber };
}

/** What came into an inbox after a number, in order, at most `limit` of it, and how many in all of it are unread. */
export async function readInbox(db: Prisma.TransactionClient, inbox: Inbox, after: number, limit: number) {
  const rows = await db.notification.findMany({
    where: { ...inbox, number: { gt: after } },
    orderBy: { number: 'asc' },
    take: limit,
  });
  const items = rows.map((row) => ({ number: row.number, notification: toNotification(row) }));
  return { items, unreadCount: await countUnread(db, inbox) };
}

/** The number of the newest notification of an inbox, 0 when there is none, and the count of all that is unread. */
export async function readInboxState(db: Prisma.TransactionClient, inbox: Inbox) {
  const newest = await db.notification.findFirst({
    where: { ...inbox },
    orderBy: { number: 'desc' },
    select: { number: true },
  });
  return { lastNumber: newest?.number ?? 0, unreadCount: await countUnread(db, inbox) };
}

const countUnread = (db: Prisma.TransactionClient, inbox: Inbox): Promise<number> =>
  db.notification.count({ where: { ...inbox, readAt: null } });

/** Marks one as read; the first time counts. @throws NotificationNotFound */
export async function markRead(db: Prisma.TransactionClient, id: string) {
  const change = { where: { id, readAt: null }, data: { readAt: new Date() } };
  const [marked] = await db.notification.updateManyAndReturn(change);
  const row = marked ?? (await db.notification.findUnique({ where: { id } }));
  if (!row) throw new NotificationNotFound(id);
  return toNotification(row);
}

/** Marks an inbox as read. @returns how many notifications were not before. */
export async function markAllRead(db: Prisma.TransactionClient, inbox: Inbox): Promise<number> {
  const { count } = await db.notification.updateMany({
    where: { ...inbox, readAt: null },
    data: { readAt: new Date() },
  });
  return count;
}
