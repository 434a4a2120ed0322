import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi';
import type { Context } from 'hono';
import { STREAM_TOKEN_MS } from '../../api-keys/limits.ts';
import type { ApiScope } from '../../api-keys/scopes.ts';
import { createStreamToken } from '../../api-keys/stream-tokens.ts';
import { userId } from '../../db/text.ts';
import { problemResponses } from '../answers/problem.ts';
import type { AppDependencies, HttpEnv } from '../context.ts';
import { checkScope, needs, organizationOf } from '../guards/authorization.ts';
import { refuseIdempotencyKey } from '../request/idempotency.ts';
import { answers, noQuery, ownOrganization } from '../request/validation.ts';

const tokenSchema = z
  .object({
    token: z.string().openapi({ description: 'For the query of the stream, as `token`', example: 'lst_…' }),
    expiresAt: z.iso.datetime().openapi({ description: 'Until then the stream has to be opened' }),
  })
  .openapi('StreamToken');

const LIFE =
  `It has to be used within ${STREAM_TOKEN_MS / 1_000} s, is good while its stream is open, and for as long again after ` +
  'that was cut off, so that `EventSource` comes back by itself. It opens nothing else, and ends with the key that ' +
  'asked for it. Ask for it in your backend, with your key, and give it to the page.';

const ofInboxRoute = createRoute({
  method: 'post',
  path: '/api/notifications/stream/token',
  operationId: 'createNotificationStreamToken',
  tags: ['notifications'],
  summary: "Make a token that opens a user's stream of notifications",
  description: LIFE,
  ...needs('notifications'),
  request: {
    query: noQuery,
    body: {
      required: true,
      content: { 'application/json': { schema: z.strictObject({ organizationId: ownOrganization, userId }) } },
    },
  },
  responses: { 201: answers('The token', tokenSchema), ...problemResponses(413, 415) },
});

const ofFeedRoute = createRoute({
  method: 'post',
  path: '/api/events/stream/token',
  operationId: 'createEventStreamToken',
  tags: ['events'],
  summary: 'Make a token that opens a stream of events',
  description: LIFE,
  ...needs('events'),
  request: {
    query: noQuery,
    body: {
      required: false,
      content: {
        'application/json': {
          schema: z.strictObject({
            organizationId: ownOrganization,
            includePersonalData: z.boolean().default(false).openapi({
              description: 'Whether events say what they have of persons. Asks for a key with `leads:read`',
            }),
          }),
        },
      },
    },
  },
  responses: { 201: answers('The token', tokenSchema), ...problemResponses(413, 415) },
});

/** `POST /api/notifications/stream/token`, `POST /api/events/stream/token` */
export function streamTokenRoutes(app: OpenAPIHono<HttpEnv>, { log }: Pick<AppDependencies, 'log'>) {
  async function make(c: Context<HttpEnv>, named: string | undefined, scopes: ApiScope[], user: string | null) {
    refuseIdempotencyKey(c, 'is not taken: a token that nobody uses is gone within a minute');
    for (const scope of scopes) checkScope(c, scope);
    const keyId = c.var.key?.id ?? null;
    const token = { organizationId: organizationOf(c, named), keyId, scopes, userId: user };
    const made = await c.var.tenant.write((tx) => createStreamToken(tx, token));
    log.info({ keyId, scopes, requestId: c.var.requestId }, 'stream token made');
    return made;
  }

  return app
    .openapi(ofInboxRoute, async (c) => {
      const { organizationId, userId: user } = c.req.valid('json');
      return c.json(await make(c, organizationId, ['notifications'], user), 201);
    })
    .openapi(ofFeedRoute, async (c) => {
      const { organizationId, includePersonalData } = c.req.valid('json');
      return c.json(
        await make(c, organizationId, includePersonalData ? ['events', 'leads:read'] : ['events'], null),
        201,
      );
    });
}
