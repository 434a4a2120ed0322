import type { Prisma } from '../db/generated/client.ts';
import { decodeCursor, toPage } from '../db/paging.ts';
import { type Inbox, inboxId } from './inbox-id.ts';
import type { Notification } from './notification.ts';
import { toNotifications } from './read-times.ts';

/** Tells cursors of inboxes from others: they end with a number that Postgres' `integer` holds. */
const CURSOR_ID = /^\d{1,9}$/;

/** No such notification, or none that the caller may see. */
export class NotificationNotFound extends Error {
  override name = 'NotificationNotFound';
  constructor(id: string) {
    super(`There is no notification ${id}.`);
  }
}

export interface InboxPage {
  unread?: boolean | undefined;
  limit: number;
  cursor?: string | undefined;
}

/**
 * A page of an inbox, the newest first, with the count of all that is unread in it. `lastNumber` is where a stream
 * goes on: what it sends after that number is not in this list, and nothing is in neither.
 * @throws CursorError
 */
export async function listNotifications(db: Prisma.TransactionClient, inbox: Inbox, page: InboxPage) {
  const { lastNumber, unreadCount, readUpTo } = await readInboxState(db, inbox);
  const newest = page.cursor === undefined ? lastNumber : Number(decodeCursor(page.cursor, CURSOR_ID).id) - 1;
  const rows = await findRows(db, inbox, { newest, readUpTo, unread: page.unread, take: page.limit + 1 });
  const notifications = await toNotifications(db, rows);
  const numbers = new Map(rows.map(({ id, number }) => [id, number]));
  const position = ({ id, createdAt }: Notification) => ({ at: new Date(createdAt), id: String(numbers.get(id)) });
  const listed = toPage(notifications, page.limit, position, (notification) => notification);
  return { ...listed, unreadCount, lastNumber };
}

/** The newest rows up to a number; of those that are read or unread as many, however long the inbox is. */
async function findRows(
  db: Prisma.TransactionClient,
  inbox: Inbox,
  { newest, readUpTo, unread, take }: { newest: number; readUpTo: number; unread: boolean | undefined; take: number },
) {
  const find = (where: Prisma.NotificationWhereInput, count: number) =>
    db.notification.findMany({ where: { ...inbox, ...where }, orderBy: { number: 'desc' }, take: count });
  if (unread === undefined) return find({ number: { lte: newest } }, take);
  const byItself = unread ? null : { not: null };
  const after = await find({ number: { lte: newest, gt: readUpTo }, readAt: byItself }, take);
  if (unread || after.length === take) return after;
  return [...after, ...(await find({ number: { lte: Math.min(newest, readUpTo) } }, take - after.length))];
}

/** What came into an inbox after a number, in order, at most `limit` of it, and how many in all of it are unread. */
export async function readInbox(db: Prisma.TransactionClient, inbox: Inbox, after: number, limit: number) {
  const rows = await db.notification.findMany({
    where: { ...inbox, number: { gt: after } },
    orderBy: { number: 'asc' },
    take: limit,
  });
  const notifications = await toNotifications(db, rows);
  const items = rows.map(({ number }, place) => ({ number, notification: notifications[place] as Notification }));
  return { items, unreadCount: (await readInboxState(db, inbox)).unreadCount };
}

const EMPTY = { lastNumber: 0, unreadCount: 0, readUpTo: 0 };

/** The last number that an inbox has given, the count of all that is unread in it, and up to where it was read. */
export async function readInboxState(db: Prisma.TransactionClient, inbox: Inbox) {
  const select = { lastNumber: true, unreadCount: true, readUpTo: true };
  return (await db.inbox.findUnique({ where: { id: inboxId(inbox) }, select })) ?? EMPTY;
}

/**
 * Marks one as read; the first time counts.
 * @returns it, and the inbox that it has changed: undefined when it was read before
 * @throws NotificationNotFound
 */
export async function markRead(db: Prisma.TransactionClient, id: string) {
  const found = await db.notification.findUnique({ where: { id } });
  if (!found) throw new NotificationNotFound(id);
  const inbox = { organizationId: found.organizationId, userId: found.userId };
  const { readUpTo } = await readInboxState(db, inbox);
  const unread = { id, readAt: null, number: { gt: readUpTo } };
  const { count } = await db.notification.updateMany({ where: unread, data: { readAt: new Date() } });
  const row = await db.notification.findUnique({ where: { id } });
  if (!row) throw new NotificationNotFound(id);
  const [notification] = await toNotifications(db, [row]);
  return { notification: notification as Notification, inbox: count === 0 ? undefined : inbox };
}

/** Marks an inbox as read, at the cost of one notification. @returns how many were not before */
export async function markAllRead(db: Prisma.TransactionClient, inbox: Inbox): Promise<number> {
  const [read] = await db.$queryRaw<{ marked: number }[]>`
    WITH before AS MATERIALIZED (
      SELECT id, organization_id, last_number, unread_count FROM inbox
      WHERE id = ${inboxId(inbox)} AND organization_id = ${inbox.organizationId} AND unread_count > 0 FOR UPDATE),
    reading AS (
      INSERT INTO inbox_reading (inbox_id, organization_id, up_to, at)
      SELECT id, organization_id, last_number, clock_timestamp() FROM before ON CONFLICT DO NOTHING)
    UPDATE inbox SET read_up_to = before.last_number, unread_count = 0 FROM before WHERE inbox.id = before.id
    RETURNING before.unread_count AS marked`;
  return read?.marked ?? 0;
}
