import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi';
import { EVENT_DAYS } from '../../events/clock.ts';
import { EVENT_TYPES, eventSchema } from '../../events/event.ts';
import { decodePosition, encodePosition } from '../../events/position.ts';
import { CursorGone, readFeed } from '../../events/read-feed.ts';
import { Problem, problemResponses } from '../answers/problem.ts';
import type { HttpEnv } from '../context.ts';
import { mayUse, needs, organizationOf } from '../guards/authorization.ts';
import { answers, limit, ownOrganization } from '../request/validation.ts';

export const position = z
  .string()
  .transform((text, context) => {
    const decoded = decodePosition(text);
    if (!decoded) context.addIssue({ code: 'custom', message: 'must be the `cursor` of an event, or a `nextCursor`' });
    return decoded ?? z.NEVER;
  })
  .openapi({ type: 'string', example: '7301-118' });

export const types = z
  .string()
  .transform((text) => text.split(','))
  .pipe(z.array(z.enum(EVENT_TYPES, 'must be types of events, with commas between them')))
  .optional()
  .openapi({
    type: 'string',
    description: 'With commas between them; by default all',
    example: 'lead.created,lead.erased',
  });

const listRoute = createRoute({
  method: 'get',
  path: '/api/events',
  operationId: 'listEvents',
  tags: ['events'],
  summary: 'What happened to the leads of an organization, the oldest first',
  description:
    'Every entry of every timeline, in one order for all readers, in which nothing appears late: go on after ' +
    '`nextCursor`, at once while `hasMore`, and each event comes once. An event appears when no transaction of before ' +
    `it is under way any more, usually within milliseconds. Events are given out for ${EVENT_DAYS} days; without \`after\` ` +
    'begin with the oldest. What they say of persons is there for keys with `leads:read` only. An erased lead leaves ' +
    '`lead.erased` and nothing else.',
  ...needs('events'),
  request: {
    query: z.strictObject({
      organizationId: ownOrganization,
      after: position
        .optional()
        .openapi({ description: '`nextCursor` of the page before, or the `cursor` of an event' }),
      types,
      limit: limit(500, 100),
    }),
  },
  responses: {
    200: answers(
      'A page',
      z.object({
        items: z.array(eventSchema),
        nextCursor: z.string().openapi({ description: 'Always there, also when nothing has happened' }),
        hasMore: z.boolean(),
      }),
    ),
    ...problemResponses(410),
  },
});

/** `GET /api/events` */
export function eventRoutes(app: OpenAPIHono<HttpEnv>) {
  return app.openapi(listRoute, async (c) => {
    const { organizationId: named, ...query } = c.req.valid('query');
    const read = { ...query, organizationId: organizationOf(c, named), withPersons: mayUse(c, 'leads:read') };
    const { items, next, hasMore } = await c.var.tenant.read((db) => readFeed(db, read)).catch(refuseGone);
    return c.json({ items, nextCursor: encodePosition(next), hasMore }, 200);
  });
}

/** @throws Problem 410 for a cursor that the feed does not go back to */
export function refuseGone(err: unknown): never {
  if (!(err instanceof CursorGone)) throw err;
  throw new Problem(
    410,
    'cursor-gone',
    `The feed goes back ${EVENT_DAYS} days, and not as far as this cursor: begin without one, and read the leads with updatedSince.`,
  );
}
