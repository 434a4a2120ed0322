import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi';
import pLimit from 'p-limit';
import { userId } from '../../db/text.ts';
import { followInbox, type InboxChange, READ_AT_ONCE } from '../../notifications/follow.ts';
import { readInbox, readInboxState } from '../../notifications/inbox.ts';
import { needsForStream, organizationOf, ownUser, STREAM_TOKEN } from '../guards/authorization.ts';
import type { AppDependencies, HttpEnv } from '../context.ts';
import {
  admit,
  answerEvents,
  BEGINNING,
  encodeEvent,
  HEARTBEAT,
  READS_AT_ONCE,
  streams,
  streamToken,
} from '../answers/event-stream.ts';
import { problemResponses } from '../answers/problem.ts';
import { ownOrganization } from '../request/validation.ts';

const number = z
  .string()
  .regex(/^\d{1,9}$/, 'must be the number of a notification, as the stream and the list tell it')
  .transform(Number);

const EXAMPLE = [
  BEGINNING,
  encodeEvent({ id: 6, event: 'unread', data: { unreadCount: 3 } }),
  'id: 7\nevent: notification\ndata: {"id":"01a20ab0-4757-752c-a5f9-81f88a505caa","title":"Novo Lead", …}\n\n',
  encodeEvent({ id: 7, event: 'unread', data: { unreadCount: 4 } }),
].join('');

/** What one event is once it is read; the text on the wire stands in the description. */
const eventSchema = z
  .object({
    id: z.string().openapi({ description: 'The position: for `Last-Event-ID`' }),
    event: z.enum(['notification', 'unread']),
    data: z.string().openapi({ description: 'JSON: a `Notification`, or `{"unreadCount": n}`' }),
  })
  .openapi('NotificationEvent');

const route = createRoute({
  method: 'get',
  path: '/api/notifications/stream',
  operationId: 'streamNotifications',
  tags: ['notifications'],
  summary: "Follow a user's notifications as they come",
  description:
    'Server-sent events, for `EventSource`. `notification`: one notification, as the list shows it, each once and in ' +
    'order. `unread`: `{"unreadCount": n}`, first of all and whenever it changes. ' +
    'Without a position the stream begins with what comes from now on. List first, then stream with the `lastNumber` ' +
    'of the list as `after`: nothing is missed, and nothing comes twice. ' +
    'A stream that is cut off goes on after `Last-Event-ID`, which `EventSource` sends by itself, at any API process. ' +
    'An answer other than 200 ends an `EventSource`: make a new one after `Retry-After`.',
  ...needsForStream('notifications'),
  request: {
    query: z.strictObject({
      organizationId: ownOrganization,
      userId,
      after: number
        .optional()
        .openapi({ type: 'integer', description: '`lastNumber` of the list; `Last-Event-ID` goes before it' }),
      [STREAM_TOKEN]: streamToken,
    }),
    headers: z.object({
      'last-event-id': number.optional().openapi({ description: 'The last `id` that this client has received' }),
    }),
  },
  responses: {
    200: streams(eventSchema, EXAMPLE),
    ...problemResponses(),
  },
});

/** `GET /api/notifications/stream` */
export function notificationStreamRoutes(app: OpenAPIHono<HttpEnv>, deps: AppDependencies) {
  const limit = pLimit(READS_AT_ONCE);

  return app.openapi(route, async (c) => {
    const { organizationId: org, userId: user, after: named } = c.req.valid('query');
    const inbox = { organizationId: organizationOf(c, org), userId: ownUser(c, user) };
    const { tenant, confirmKey } = c.var;
    const { lastNumber, unreadCount } = await tenant.read((db) => readInboxState(db, inbox), limit);
    // A later one is of before the database was restored from a backup, or was erased.
    const after = Math.min(c.req.valid('header')['last-event-id'] ?? named ?? lastNumber, lastNumber);

    const watcher = admit(deps.inboxWatch.watch(inbox));
    const read = async (number: number) => {
      await confirmKey();
      return tenant.read((db) => readInbox(db, inbox, number, READ_AT_ONCE), limit);
    };
    const start = { items: [], position: after, unreadCount };
    const changes = followInbox({ read, after, unreadCount, watcher });
    return answerEvents(c, encodeChanges(start, changes), watcher, deps);
  });
}

async function* encodeChanges(
  start: InboxChange,
  changes: AsyncGenerator<InboxChange | undefined>,
): AsyncGenerator<string> {
  yield encodeChange(start);
  for await (const change of changes) yield change ? encodeChange(change) : HEARTBEAT;
}

/** The count tells the position as well: a client that was cut off before its first notification needs one too. */
function encodeChange({ items, position, unreadCount }: InboxChange): string {
  const events = items.map(({ number: id, notification }) =>
    encodeEvent({ id, event: 'notification', data: notification }),
  );
  return [...events, encodeEvent({ id: position, event: 'unread', data: { unreadCount } })].join('');
}
