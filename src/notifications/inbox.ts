import type { Notification, PrismaClient } from '../db/generated/client.ts';
import { decodeCursor, olderThan, toPage } from '../paging.ts';

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

/** A page of an inbox, the newest first, with the count of all that is unread in it. @throws CursorError */
export async function listNotifications(
  prisma: PrismaClient,
  inbox: Inbox,
  page: { unread?: boolean | undefined; limit: number; cursor?: string | undefined },
) {
  const [rows, unreadCount] = await Promise.all([
    prisma.notification.findMany({
      where: {
        ...inbox,
        ...(page.unread === true && { readAt: null }),
        ...(page.unread === false && { readAt: { not: null } }),
        ...(page.cursor !== undefined && olderThan(decodeCursor(page.cursor))),
      },
      orderBy: [{ createdAt: 'desc' }, { id: 'desc' }],
      take: page.limit + 1,
    }),
    prisma.notification.count({ where: { ...inbox, readAt: null } }),
  ]);
  const { items, nextCursor } = toPage(rows, page.limit, (row) => ({ at: row.createdAt, id: row.id }));
  return { items: items.map(toNotification), nextCursor, unreadCount };
}

/** Marks one as read; the first time counts. @throws NotificationNotFound */
export async function markRead(prisma: PrismaClient, id: string) {
  await prisma.notification.updateMany({ where: { id, readAt: null }, data: { readAt: new Date() } });
  const row = await prisma.notification.findUnique({ where: { id } });
  if (!row) throw new NotificationNotFound(id);
  return toNotification(row);
}

/** Marks an inbox as read. @returns how many notifications were not before. */
export async function markAllRead(prisma: PrismaClient, inbox: Inbox): Promise<number> {
  const { count } = await prisma.notification.updateMany({
    where: { ...inbox, readAt: null },
    data: { readAt: new Date() },
  });
  return count;
}

/** A stored row → the notification as the API answers it. */
export function toNotification(row: Notification) {
  return {
    id: row.id,
    leadId: row.leadId,
    userId: row.userId,
    type: row.type,
    title: row.title,
    message: row.message,
    actionUrl: row.actionUrl,
    createdAt: row.createdAt.toISOString(),
    readAt: row.readAt?.toISOString() ?? null,
  };
}
