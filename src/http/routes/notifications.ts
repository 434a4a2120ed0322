import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi';
import { organizationId, userId } from '../../leads/submission.ts';
import { listNotifications, markAllRead, markRead } from '../../notifications/inbox.ts';
import type { AppDependencies, HttpEnv } from '../context.ts';
import { problemResponses } from '../problem.ts';
import { answers, cursor, idParam, limit, noQuery } from '../validation.ts';

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

const inbox = { organizationId, userId };

const listRoute = createRoute({
  method: 'get',
  path: '/api/notifications',
  tags: ['notifications'],
  summary: "List a user's notifications, the newest first",
  request: {
    query: z.strictObject({
      ...inbox,
      unread: z
        .enum(['true', 'false'])
        .transform((flag) => flag === 'true')
        .optional(),
      limit: limit(100, 50),
      cursor,
    }),
  },
  responses: {
    200: answers(
      'A page, and the count of all unread ones',
      z.object({
        items: z.array(notificationSchema),
        nextCursor: z.string().nullable(),
        unreadCount: z.number().int(),
      }),
    ),
    ...problemResponses(),
  },
});

const readRoute = createRoute({
  method: 'post',
  path: '/api/notifications/{id}/read',
  tags: ['notifications'],
  summary: 'Mark a notification as read',
  request: { params: idParam, query: noQuery },
  responses: { 200: answers('The notification', notificationSchema), ...problemResponses(404) },
});

const readAllRoute = createRoute({
  method: 'post',
  path: '/api/notifications/read-all',
  tags: ['notifications'],
  summary: "Mark all of a user's notifications as read",
  request: { query: z.strictObject(inbox) },
  responses: { 200: answers('How many were unread', z.object({ marked: z.number().int() })), ...problemResponses() },
});

/** `GET /api/notifications`, `POST /api/notifications/{id}/read`, `POST /api/notifications/read-all` */
export function notificationRoutes(app: OpenAPIHono<HttpEnv>, { prisma }: AppDependencies): void {
  app.openapi(listRoute, async (c) => {
    const { organizationId: org, userId: user, ...page } = c.req.valid('query');
    return c.json(await listNotifications(prisma, { organizationId: org, userId: user }, page), 200);
  });
  app.openapi(readRoute, async (c) => c.json(await markRead(prisma, c.req.valid('param').id), 200));
  app.openapi(readAllRoute, async (c) => c.json({ marked: await markAllRead(prisma, c.req.valid('query')) }, 200));
}
