import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi';
import type { Context } from 'hono';
import { apiKeySchema, issuedKeySchema } from '../../api-keys/api-key.ts';
import { KEEP_OLD_HOURS } from '../../api-keys/limits.ts';
import type { Maker } from '../../api-keys/maker.ts';
import { createKey, listKeys, revokeKey, rotateKey } from '../../api-keys/manage.ts';
import { newKeySchema } from '../../api-keys/new-key.ts';
import type { Caller } from '../../audit/caller.ts';
import { recordAudit } from '../../audit/record.ts';
import { needs, organizationOf } from '../guards/authorization.ts';
import type { AppDependencies, HttpEnv } from '../context.ts';
import { callerReader } from '../request/caller.ts';
import { createWriter, idempotencyHeaders } from '../request/idempotency.ts';
import { problemResponses } from '../answers/problem.ts';
import { answers, cursor, idParam, limit, noQuery, ownOrganization, wholeNumber } from '../request/validation.ts';

const MS_PER_HOUR = 3_600_000;

const listRoute = createRoute({
  method: 'get',
  path: '/api/keys',
  operationId: 'listKeys',
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
  operationId: 'createKey',
  tags: ['keys'],
  summary: 'Make an API key',
  description:
    'It gets no scope that the key which makes it lacks, and does not outlive that. A repetition with the same ' +
    '`Idempotency-Key` is answered with 409, which names the key: its token is shown once.',
  ...needs('ops'),
  request: {
    query: noQuery,
    headers: idempotencyHeaders,
    body: { required: true, content: { 'application/json': { schema: newKeySchema } } },
  },
  responses: { 201: answers('The key, with its token', issuedKeySchema), ...problemResponses(409, 413, 415, 422) },
});

const rotateRoute = createRoute({
  method: 'post',
  path: '/api/keys/{id}/rotate',
  operationId: 'rotateKey',
  tags: ['keys'],
  summary: 'Replace an API key by a new one',
  description:
    'The new key has the name, the scopes, the lifetime and the maker of the old one, which works on for a while. A ' +
    'repetition with the same `Idempotency-Key` is answered with 409, which names the new key: its token is shown once.',
  ...needs('ops'),
  request: {
    params: idParam,
    headers: idempotencyHeaders,
    query: z.strictObject({
      keepOldForHours: wholeNumber(0, KEEP_OLD_HOURS.max, KEEP_OLD_HOURS.preset).openapi({
        description: 'For which the old key works on, to change over',
      }),
    }),
  },
  responses: { 201: answers('The new key, with its token', issuedKeySchema), ...problemResponses(404, 409, 422) },
});

const revokeRoute = createRoute({
  method: 'delete',
  path: '/api/keys/{id}',
  operationId: 'revokeKey',
  tags: ['keys'],
  summary: 'Revoke an API key',
  description: 'It is refused everywhere within 5 s.',
  ...needs('ops'),
  request: {
    params: idParam,
    headers: idempotencyHeaders,
    query: z.strictObject({
      descendants: z
        .enum(['true', 'false'])
        .default('false')
        .openapi({ description: 'Whether the keys end as well that it has made or rotated, and so on down' }),
    }),
  },
  responses: { 204: { description: 'It is revoked' }, ...problemResponses(404, 422) },
});

/** `GET /api/keys`, `POST /api/keys`, `POST /api/keys/{id}/rotate`, `DELETE /api/keys/{id}` */
export function keyRoutes(app: OpenAPIHono<HttpEnv>, deps: AppDependencies) {
  const { log } = deps;
  const writer = createWriter(deps);
  const readCaller = callerReader(deps.trustedProxies);
  const makerOf = (c: Context<HttpEnv>, { userId }: Caller): Maker => ({ key: c.var.key ?? null, userId });

  const toldBefore = (id: string) => `This was done: it made the key ${id}, whose token was shown then. Rotate it.`;

  return app
    .openapi(listRoute, async (c) => {
      const { organizationId: named, ...page } = c.req.valid('query');
      const keys = { ...page, organizationId: organizationOf(c, named) };
      return c.json(await c.var.tenant.read((db) => listKeys(db, keys)), 200);
    })
    .openapi(createKeyRoute, async (c) => {
      const key = c.req.valid('json');
      organizationOf(c, key.organizationId);
      const caller = readCaller(c);
      const issued = await writer.issue(
        c,
        async (tx) => {
          const made = await createKey(tx, key, makerOf(c, caller));
          const { id: subject, organizationId, name, scopes } = made;
          await recordAudit(tx, { organizationId, action: 'key.created', subject, data: { name, scopes } }, caller);
          return made;
        },
        toldBefore,
      );
      log.info({ keyId: issued.id, requestId: c.var.requestId }, 'API key created');
      return c.json(issued, 201);
    })
    .openapi(rotateRoute, async (c) => {
      const { id } = c.req.valid('param');
      const keepOldForMs = c.req.valid('query').keepOldForHours * MS_PER_HOUR;
      const caller = readCaller(c);
      const issued = await writer.issue(
        c,
        async (tx) => {
          const made = await rotateKey(tx, id, keepOldForMs, makerOf(c, caller));
          const { organizationId } = made;
          await recordAudit(tx, { organizationId, action: 'key.rotated', subject: id, data: { by: made.id } }, caller);
          return made;
        },
        toldBefore,
      );
      log.info({ keyId: issued.id, replaces: id, requestId: c.var.requestId }, 'API key rotated');
      return c.json(issued, 201);
    })
    .openapi(revokeRoute, async (c) => {
      const { id } = c.req.valid('param');
      const withDescendants = c.req.valid('query').descendants === 'true';
      const caller = readCaller(c);
      const revoked = await writer.write(c, async (tx) => {
        const { organizationId, ids } = await revokeKey(tx, id, withDescendants);
        for (const subject of ids) await recordAudit(tx, { organizationId, action: 'key.revoked', subject }, caller);
        return ids;
      });
      log.info({ keyIds: revoked, requestId: c.var.requestId }, 'API keys revoked');
      return c.body(null, 204);
    });
}
