import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi';
import type { Context } from 'hono';
import type { Prisma } from '../../db/generated/client.ts';
import { ADDRESS_FORM, isUsable } from '../../webhooks/address.ts';
import {
  type Endpoint,
  type EndpointChange,
  endpointChangeSchema,
  endpointSchema,
  issuedEndpointSchema,
  newEndpointSchema,
} from '../../webhooks/endpoint.ts';
import { KEEP_OLD_SECRET_HOURS } from '../../webhooks/limits.ts';
import {
  changeEndpoint,
  createEndpoint,
  deleteEndpoint,
  listEndpoints,
  readEndpoint,
  rotateSecret,
} from '../../webhooks/manage.ts';
import { noteEndpoint } from '../../webhooks/note.ts';
import { Problem, problemResponses } from '../answers/problem.ts';
import type { AppDependencies, HttpEnv } from '../context.ts';
import { checkScope, needs, organizationOf } from '../guards/authorization.ts';
import { callerReader } from '../request/caller.ts';
import { createWriter, idempotencyHeaders } from '../request/idempotency.ts';
import { answers, cursor, idParam, limit, noQuery, ownOrganization, wholeNumber } from '../request/validation.ts';

const MS_PER_HOUR = 3_600_000;
const tags = ['webhooks'];
const json = <Schema extends z.ZodType>(schema: Schema) => ({
  required: true,
  content: { 'application/json': { schema } },
});

const createEndpointRoute = createRoute({
  method: 'post',
  path: '/api/webhooks',
  operationId: 'createWebhook',
  tags,
  summary: 'Make a webhook endpoint',
  description:
    'It is told of what happens from now on, as https://www.standardwebhooks.com has it: at least once, under the id of ' +
    'the event, in the order of the feed but for what it did not take, which is tried again for three days. A repetition ' +
    'with the same `Idempotency-Key` is answered with 409, which names the endpoint: its secret is shown once.',
  ...needs('webhooks'),
  request: { query: noQuery, headers: idempotencyHeaders, body: json(newEndpointSchema) },
  responses: {
    201: answers('The endpoint, with its secret', issuedEndpointSchema),
    ...problemResponses(409, 413, 415, 422),
  },
});

const listRoute = createRoute({
  method: 'get',
  path: '/api/webhooks',
  operationId: 'listWebhooks',
  tags,
  summary: "List an organization's webhook endpoints, the oldest first",
  ...needs('webhooks'),
  request: { query: z.strictObject({ organizationId: ownOrganization, limit: limit(50, 50), cursor }) },
  responses: {
    200: answers('A page', z.object({ items: z.array(endpointSchema), nextCursor: z.string().nullable() })),
    ...problemResponses(),
  },
});

const readRoute = createRoute({
  method: 'get',
  path: '/api/webhooks/{id}',
  operationId: 'getWebhook',
  tags,
  summary: 'Read a webhook endpoint: how it stands, and what it has not taken',
  ...needs('webhooks'),
  request: { params: idParam, query: noQuery },
  responses: { 200: answers('The endpoint', endpointSchema), ...problemResponses(404) },
});

const changeRoute = createRoute({
  method: 'patch',
  path: '/api/webhooks/{id}',
  operationId: 'updateWebhook',
  tags,
  summary: 'Change a webhook endpoint, pause it, or let it go on',
  ...needs('webhooks'),
  request: { params: idParam, query: noQuery, headers: idempotencyHeaders, body: json(endpointChangeSchema) },
  responses: { 200: answers('The endpoint', endpointSchema), ...problemResponses(404, 409, 413, 415, 422) },
});

const deleteRoute = createRoute({
  method: 'delete',
  path: '/api/webhooks/{id}',
  operationId: 'deleteWebhook',
  tags,
  summary: 'Delete a webhook endpoint, with its attempts and what it has not taken',
  ...needs('webhooks'),
  request: { params: idParam, query: noQuery, headers: idempotencyHeaders },
  responses: { 204: { description: 'It is deleted' }, ...problemResponses(404, 409, 422) },
});

const rotateRoute = createRoute({
  method: 'post',
  path: '/api/webhooks/{id}/rotate-secret',
  operationId: 'rotateWebhookSecret',
  tags,
  summary: 'Give a webhook endpoint another secret',
  description:
    'For a while both sign, so that the receiver can change over. A repetition with the same `Idempotency-Key` is ' +
    'answered with 409: the secret is shown once.',
  ...needs('webhooks'),
  request: {
    params: idParam,
    headers: idempotencyHeaders,
    query: z.strictObject({
      keepOldForHours: wholeNumber(0, KEEP_OLD_SECRET_HOURS.max, KEEP_OLD_SECRET_HOURS.preset).openapi({
        description: 'For which the old secret signs as well',
      }),
    }),
  },
  responses: {
    200: answers('The endpoint, with its secret', issuedEndpointSchema),
    ...problemResponses(404, 409, 422),
  },
});

/** `GET` and `POST /api/webhooks`, `GET`, `PATCH` and `DELETE /api/webhooks/{id}`, `POST …/rotate-secret` */
export function webhookRoutes(app: OpenAPIHono<HttpEnv>, deps: AppDependencies) {
  const writer = createWriter(deps);
  const readCaller = callerReader(deps.trustedProxies);

  /** @throws Problem for an address that nothing would ever be sent to */
  function checkUrl(url: string | undefined): void {
    if (url === undefined || isUsable(url, deps.webhookHosts)) return;
    const errors = [{ path: 'url', message: ADDRESS_FORM }];
    throw new Problem(400, 'invalid-request', 'Correct the body: see errors.', { errors });
  }

  /** @throws Problem 403 for a key that would have an endpoint told of persons, or told elsewhere, and may not read leads */
  function checkPersons(c: Context<HttpEnv>, { includePersonalData }: Endpoint, change: EndpointChange): void {
    if (includePersonalData && (change.includePersonalData || change.url !== undefined)) checkScope(c, 'leads:read');
  }

  const toldBefore = (id: string) => `This was done to the endpoint ${id}, whose secret was shown then. Rotate it.`;

  return app
    .openapi(createEndpointRoute, async (c) => {
      const { organizationId: named, ...endpoint } = c.req.valid('json');
      const organizationId = organizationOf(c, named);
      checkUrl(endpoint.url);
      const work = async (tx: Prisma.TransactionClient) => {
        const made = await createEndpoint(tx, organizationId, endpoint);
        checkPersons(c, made, endpoint);
        await noteEndpoint(tx, 'webhook.created', made, readCaller(c));
        return made;
      };
      return c.json(await writer.issue(c, work, toldBefore), 201);
    })
    .openapi(listRoute, async (c) => {
      const { organizationId: named, ...page } = c.req.valid('query');
      const endpoints = { ...page, organizationId: organizationOf(c, named) };
      return c.json(await c.var.tenant.read((db) => listEndpoints(db, endpoints)), 200);
    })
    .openapi(readRoute, async (c) => {
      const { id } = c.req.valid('param');
      return c.json(await c.var.tenant.read((db) => readEndpoint(db, id)), 200);
    })
    .openapi(changeRoute, async (c) => {
      const { id } = c.req.valid('param');
      const change = c.req.valid('json');
      checkUrl(change.url);
      const changed = await writer.write(c, async (tx) => {
        const endpoint = await changeEndpoint(tx, id, change);
        checkPersons(c, endpoint, change);
        await noteEndpoint(tx, 'webhook.changed', endpoint, readCaller(c), { fields: Object.keys(change) });
        return endpoint;
      });
      return c.json(changed, 200);
    })
    .openapi(deleteRoute, async (c) => {
      const { id } = c.req.valid('param');
      await writer.write(c, async (tx) =>
        noteEndpoint(tx, 'webhook.deleted', await deleteEndpoint(tx, id), readCaller(c)),
      );
      return c.body(null, 204);
    })
    .openapi(rotateRoute, async (c) => {
      const { id } = c.req.valid('param');
      const keepOldForMs = c.req.valid('query').keepOldForHours * MS_PER_HOUR;
      const work = async (tx: Prisma.TransactionClient) => {
        const endpoint = await rotateSecret(tx, id, keepOldForMs);
        await noteEndpoint(tx, 'webhook.secret-rotated', endpoint, readCaller(c));
        return endpoint;
      };
      return c.json(await writer.issue(c, work, toldBefore), 200);
    });
}
