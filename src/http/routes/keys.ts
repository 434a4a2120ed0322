import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi';
import { apiKeySchema, issuedKeySchema } from '../../api-keys/api-key.ts';
import { createKey, listKeys, revokeKey, rotateKey } from '../../api-keys/manage.ts';
import { newKeySchema } from '../../api-keys/new-key.ts';
import { needs, organizationOf } from '../guards/authorization.ts';
import type { AppDependencies, HttpEnv } from '../context.ts';
import { problemResponses } from '../answers/problem.ts';
import { answers, cursor, idParam, limit, noQuery, ownOrganization, wholeNumber } from '../request/validation.ts';

const MS_PER_HOUR = 3_600_000;
const MAX_HOURS_KEPT = 168;

const listRoute = createRoute({
  method: 'get',
  path: '/api/keys',
  tags: ['keys'],
  summary: "List an organization's API keys, the newest first",
  description: 'Also those that have ended. No secret is among them: it is not kept.',
  ...needs('ops'),
  request: { query: z.strictObject({ organizationId: ownOrganization, limit: limit(100, 50), cursor }) },
  responses: {
    200: answers('A page', z.object({ items: z.array(apiKeySchema), nextCursor: z.string().nullable() })),
    ...problemResponses(),
  },
});

const createKeyRoute = createRoute({
  method: 'post',
  path: '/api/keys',
  tags: ['keys'],
  summary: 'Make an API key',
  ...needs('ops'),
  request: {
    query: noQuery,
    body: { required: true, content: { 'application/json': { schema: newKeySchema } } },
  },
  responses: { 201: answers('The key, with its token', issuedKeySchema), ...problemResponses(413, 415) },
});

const rotateRoute = createRoute({
  method: 'post',
  path: '/api/keys/{id}/rotate',
  tags: ['keys'],
  summary: 'Replace an API key by a new one',
  description: 'The new key has the name, the scopes and the lifetime of the old one, which expires.',
  ...needs('ops'),
  request: {
    params: idParam,
    query: z.strictObject({
      keepOldForHours: wholeNumber(0, MAX_HOURS_KEPT, 0).openapi({
        description: 'For which the old key works on, to change over',
      }),
    }),
  },
  responses: { 201: answers('The new key, with its token', issuedKeySchema), ...problemResponses(404, 409) },
});

const revokeRoute = createRoute({
  method: 'delete',
  path: '/api/keys/{id}',
  tags: ['keys'],
  summary: 'Revoke an API key',
  description: 'It is refused everywhere within 5 s.',
  ...needs('ops'),
  request: { params: idParam, query: noQuery },
  responses: { 204: { description: 'It is revoked' }, ...problemResponses(404) },
});

/** `GET /api/keys`, `POST /api/keys`, `POST /api/keys/{id}/rotate`, `DELETE /api/keys/{id}` */
export function keyRoutes(app: OpenAPIHono<HttpEnv>, { log }: AppDependencies) {
  return app
    .openapi(listRoute, async (c) => {
      const { organizationId: named, ...page } = c.req.valid('query');
      const keys = { ...page, organizationId: organizationOf(c, named) };
      return c.json(await c.var.tenant.read((db) => listKeys(db, keys)), 200);
    })
    .openapi(createKeyRoute, async (c) => {
      const key = c.req.valid('json');
      organizationOf(c, key.organizationId);
      const issued = await c.var.tenant.write((tx) => createKey(tx, key));
      log.info({ keyId: issued.id, requestId: c.var.requestId }, 'API key created');
      c.header('cache-control', 'no-store');
      return c.json(issued, 201);
    })
    .openapi(rotateRoute, async (c) => {
      const { id } = c.req.valid('param');
      const keepOldForMs = c.req.valid('query').keepOldForHours * MS_PER_HOUR;
      const issued = await c.var.tenant.write((tx) => rotateKey(tx, id, keepOldForMs));
      log.info({ keyId: issued.id, replaces: id, requestId: c.var.requestId }, 'API key rotated');
      c.header('cache-control', 'no-store');
      return c.json(issued, 201);
    })
    .openapi(revokeRoute, async (c) => {
      const { id } = c.req.valid('param');
      await c.var.tenant.write((tx) => revokeKey(tx, id));
      log.info({ keyId: id, requestId: c.var.requestId }, 'API key revoked');
      return c.body(null, 204);
    });
}
