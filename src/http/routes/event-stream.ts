import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi';
import pLimit from 'p-limit';
import { followFeed } from '../../events/follow.ts';
import { encodePosition, type Position } from '../../events/position.ts';
import { type FeedPage, readEnd, readFeed } from '../../events/read-feed.ts';
import {
  admit,
  answerEvents,
  BEGINNING,
  encodeEvent,
  READS_AT_ONCE,
  streams,
  streamToken,
} from '../answers/event-stream.ts';
import { problemResponses } from '../answers/problem.ts';
import type { AppDependencies, HttpEnv } from '../context.ts';
import { mayUse, needsForStream, organizationOf, STREAM_TOKEN } from '../guards/authorization.ts';
import { ownOrganization } from '../request/validation.ts';
import { position, refuseGone, types } from './events.ts';

/** Events that one read takes: what is held in memory for a client that reads slowly. */
const READ_AT_ONCE = 100;

const EXAMPLE = [
  BEGINNING,
  encodeEvent({ id: '7301-0', event: 'position', data: {} }),
  'id: 7301-118\nevent: event\ndata: {"id":"01a20ab0-4757-752c-a5f9-81f88a505caa","type":"lead.created", …}\n\n',
].join('');

/** What one event is once it is read; the text on the wire stands in the description. */
const eventSchema = z
  .object({
    id: z.string().openapi({ description: 'The cursor: for `Last-Event-ID`' }),
    event: z.enum(['event', 'position']),
    data: z.string().openapi({ description: 'JSON: an `Event`, or `{}`' }),
  })
  .openapi('StreamedEvent');

const route = createRoute({
  method: 'get',
  path: '/api/events/stream',
  operationId: 'streamEvents',
  tags: ['events'],
  summary: 'Follow what happens to the leads of an organization',
  description:
    'Server-sent events, for `EventSource`. `event`: one event of the feed, as the list shows it, each once and in ' +
    'order. `position`: how far the feed has come, first of all and now and then. Without a position the stream begins ' +
    'with what comes from now on. A stream that is cut off goes on after `Last-Event-ID`, which `EventSource` sends by ' +
    'itself, at any API process. An answer other than 200 ends an `EventSource`: make a new one after `Retry-After`.',
  ...needsForStream('events'),
  request: {
    query: z.strictObject({
      organizationId: ownOrganization,
      after: position.optional().openapi({ description: 'A cursor of the feed; `Last-Event-ID` goes before it' }),
      types,
      [STREAM_TOKEN]: streamToken,
    }),
    headers: z.object({
      'last-event-id': position.optional().openapi({ description: 'The last `id` that this client has received' }),
    }),
  },
  responses: {
    200: streams(eventSchema, EXAMPLE),
    ...problemResponses(410),
  },
});

/** `GET /api/events/stream` */
export function eventStreamRoutes(app: OpenAPIHono<HttpEnv>, deps: AppDependencies) {
  const limit = pLimit(READS_AT_ONCE);

  return app.openapi(route, async (c) => {
    const { organizationId: named, types: asked, after: begin } = c.req.valid('query');
    const { tenant, confirmKey } = c.var;
    const organizationId = organizationOf(c, named);
    const read = { organizationId, types: asked, limit: READ_AT_ONCE, withPersons: mayUse(c, 'leads:read') };
    const after = c.req.valid('header')['last-event-id'] ?? begin ?? (await tenant.read(readEnd, limit));
    const readPage = (position: Position) => tenant.read((db) => readFeed(db, { ...read, after: position }), limit);

    const watcher = admit(deps.feedWatch.watch(organizationId)); // before it reads: what comes in between wakes it
    const first = await readPage(after).catch((err: unknown) => {
      watcher.end();
      return refuseGone(err); // afterwards a stream can only end
    });
    const pages = followFeed({
      first,
      watcher,
      read: async (position) => {
        await confirmKey();
        return readPage(position);
      },
    });
    return answerEvents(c, encodePages(pages), watcher, deps);
  });
}

async function* encodePages(pages: AsyncGenerator<FeedPage>): AsyncGenerator<string> {
  for await (const { items, next } of pages) {
    const events = items.map((item) => encodeEvent({ id: item.cursor, event: 'event', data: item }));
    yield [...events, encodeEvent({ id: encodePosition(next), event: 'position', data: {} })].join('');
  }
}
