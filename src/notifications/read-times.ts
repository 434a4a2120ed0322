import type { Notification as NotificationRow, Prisma } from '../db/generated/client.ts';
import { inboxId } from './inbox-id.ts';
import { type Notification, toNotification } from './notification.ts';

/** Stored rows → the notifications as the API answers them, each with the time at which it was first read. */
export async function toNotifications(db: Prisma.TransactionClient, rows: NotificationRow[]): Promise<Notification[]> {
  if (rows.length === 0) return [];
  const times = await db.$queryRaw<{ readAt: Date | null }[]>`
    SELECT LEAST(n.read_at, (SELECT r.at FROM inbox_reading r WHERE r.inbox_id = n.inbox_id AND r.up_to >= n.number
                             ORDER BY r.up_to LIMIT 1)) AS "readAt"
    FROM unnest(${rows.map(inboxId)}::text[], ${rows.map(({ number }) => number)}::integer[],
                ${rows.map(({ readAt }) => readAt)}::timestamptz[])
      WITH ORDINALITY AS n(inbox_id, number, read_at, place)
    ORDER BY n.place`;
  return rows.map((row, place) => toNotification(row, times[place]?.readAt ?? null));
}
