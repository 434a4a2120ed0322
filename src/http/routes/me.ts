import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi';
import { API_SCOPES } from '../../api-keys/scopes.ts';
import { MAX_LEADS_OF_BATCH } from '../../leads/intake-batch.ts';
import { MAX_ATTRIBUTES_BYTES } from '../../leads/submission.ts';
import { answers, ownOrganization } from '../request/validation.ts';
import { problemResponses } from '../answers/problem.ts';
import type { AppDependencies, HttpEnv } from '../context.ts';
import { needsKey, organizationOf } from '../guards/authorization.ts';
import { MAX_BODY_BYTES } from '../request/body.ts';
import { MAX_LEADS_OF_PAGE } from './leads.ts';

const meSchema = z
  .object({
    organizationId: z.string().nullable().openapi({ description: 'null while the API works without keys' }),
    key: z
      .object({ id: z.uuid(), expiresAt: z.iso.datetime().nullable() })
      .nullable()
      .openapi({ description: 'null while the API works without keys' }),
    scopes: z.array(z.enum(API_SCOPES)),
    limits: z.object({
      requests: z
        .object({ count: z.number().int(), seconds: z.number().int() })
        .nullable()
        .openapi({ description: 'Requests in so many seconds; null where they are not limited' }),
      bodyBytes: z.number().int(),
      attributesBytes: z.number().int(),
      leadsOfPage: z.number().int(),
      leadsOfBatch: z.number().int(),
    }),
  })
  .openapi('Me');

const route = createRoute({
  method: 'get',
  path: '/api/me',
  operationId: 'getMe',
  tags: ['keys'],
  summary: 'Whose key this is, and what it may do',
  description: 'Any key may ask but one for forms. While the API works without keys, everybody has all scopes.',
  ...needsKey,
  request: { query: z.strictObject({ organizationId: ownOrganization }) },
  responses: { 200: answers('Who calls', meSchema), ...problemResponses() },
});

/** `GET /api/me` */
export function meRoutes(app: OpenAPIHono<HttpEnv>, { rateLimiter }: AppDependencies) {
  return app.openapi(route, (c) => {
    const { organizationId: named } = c.req.valid('query');
    const { key } = c.var;
    const me: z.infer<typeof meSchema> = {
      organizationId: key ? organizationOf(c, named) : null,
      key: key ? { id: key.id, expiresAt: key.expiresAt?.toISOString() ?? null } : null,
      scopes: API_SCOPES.filter((scope) => key?.scopes.includes(scope) ?? true),
      limits: {
        requests:
          rateLimiter === 'off' ? null : { count: rateLimiter.limit.requests, seconds: rateLimiter.limit.seconds },
        bodyBytes: MAX_BODY_BYTES,
        attributesBytes: MAX_ATTRIBUTES_BYTES,
        leadsOfPage: MAX_LEADS_OF_PAGE,
        leadsOfBatch: MAX_LEADS_OF_BATCH,
      },
    };
    return c.json(me, 200);
  });
}
