import { z } from '@hono/zod-openapi';
import type { Notification as NotificationRow } from '../db/generated/client.ts';
import { cleanName } from '../db/visible-text.ts';

/** A notification as the API answers it. Times are ISO-8601 in UTC. */
export const notificationSchema = z
  .object({
    id: z.uuid(),
    leadId: z.uuid(),
    userId: z.string(),
    type: z.string().openapi({ example: 'INFO' }),
    title: z.string().openapi({ example: 'Novo Lead' }),
    message: z.string().openapi({ example: 'Lead João Silva foi criado e atribuído a você' }),
    actionUrl: z.string(),
    createdAt: z.iso.datetime(),
    readAt: z.iso.datetime().nullable(),
  })
  .openapi('Notification');

export type Notification = z.infer<typeof notificationSchema>;

/** A stored row, and when it was read → the notification as the API answers it. */
export function toNotification(row: NotificationRow, readAt: Date | null): Notification {
  return {
    id: row.id,
    leadId: row.leadId,
    userId: row.userId,
    type: row.type,
    title: row.title,
    message: cleanName(row.message), // the lead's name may be from before names were cleaned
    actionUrl: row.actionUrl,
    createdAt: row.createdAt.toISOString(),
    readAt: readAt?.toISOString() ?? null,
  };
}
