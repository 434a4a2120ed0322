import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi';
import type { Prisma } from '../../db/generated/client.ts';
import { userId } from '../../db/text.ts';
import { listNotifications, markAllRead, markRead } from '../../notifications/inbox.ts';
import { notificationSchema } from '../../notifications/notification.ts';
import { needs, organizationOf } from '../guards/authorization.ts';
import type { AppDependencies, HttpEnv } from '../context.ts';
import { createWriter, idempotencyHeaders } from '../request/idempotency.ts';
import { problemResponses } from '../answers/problem.ts';
import { answers, cursor, idParam, limit, noQuery, ownOrganization } from '../request/validation.ts';

const inbox = { organizationId: ownOrganization, userId };

const listRoute = createRoute({
  method: 'get',
  path: '/api/notifications',
  operationId: 'listNotifications',
  tags: ['notifications'],
  summary: "List a user's notifications, the newest first",
  ...needs('notifications'),
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
        lastNumber: z.number().int().openapi({ description: '`after` of the stream that goes on from this list' }),
      }),
    ),
    ...problemResponses(),
  },
});

const readRoute = createRoute({
  method: 'post',
  path: '/api/notifications/{id}/read',
  operationId: 'readNotification',
  tags: ['notifications'],
  summary: 'Mark a notification as read',
  ...needs('notifications'),
  request: { params: idParam, query: noQuery, headers: idempotencyHeaders },
  responses: { 200: answers('The notification', notificationSchema), ...problemResponses(404, 409, 422) },
});

const readAllRoute = createRoute({
  method: 'post',
  path: '/api/notifications/read-all',
  operationId: 'readAllNotifications',
  tags: ['notifications'],
  summary: "Mark all of a user's notifications as read",
  ...needs('notifications'),
  request: { query: z.strictObject(inbox), headers: idempotencyHeaders },
  responses: {
    200: answers('How many were unread', z.object({ marked: z.number().int() })),
    ...problemResponses(409, 422),
  },
});

/** `GET /api/notifications`, `POST /api/notifications/{id}/read`, `POST /api/notifications/read-all` */
export function notificationRoutes(app: OpenAPIHono<HttpEnv>, deps: AppDependencies) {
  const writer = createWriter(deps);
  const { inboxAnnouncer } = deps;
  return app
    .openapi(listRoute, async (c) => {
      const { organizationId: named, userId: user, ...page } = c.req.valid('query');
      const whose = { organizationId: organizationOf(c, named), userId: user };
      return c.json(await c.var.tenant.read((db) => listNotifications(db, whose, page)), 200);
    })
    .openapi(readRoute, async (c) => {
      const { id } = c.req.valid('param');
      const mark = (tx: Prisma.TransactionClient) => markRead(tx, id);
      // Nothing of the notification is kept for a repetition, which may come after the person was erased.
      const outcome = await writer.run(c, mark, () => null);
      const { notification, inbox } = 'done' in outcome ? outcome.done : await c.var.tenant.write(mark);
      if (inbox) inboxAnnouncer.announce(inbox);
      return c.json(notification, 200);
    })
    .openapi(readAllRoute, async (c) => {
      const { organizationId: named, userId: user } = c.req.valid('query');
      const whose = { organizationId: organizationOf(c, named), userId: user };
      const marked = await writer.write(c, (tx) => markAllRead(tx, whose));
      inboxAnnouncer.announce(whose);
      return c.json({ marked }, 200);
    });
}
