import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi';
import type { Context } from 'hono';
import { type AuditAction, recordAudit } from '../../audit/record.ts';
import type { Prisma } from '../../db/generated/client.ts';
import { FetchError } from '../../safe-fetch/fetch-error.ts';
import { checkPostTarget } from '../../safe-fetch/safe-post.ts';
import { portOf } from '../../safe-fetch/target.ts';
import { attemptSchema, listAttempts } from '../../webhooks/attempts.ts';
import {
  type EndpointChange,
  endpointChangeSchema,
  endpointSchema,
  issuedEndpointSchema,
  newEndpointSchema,
} from '../../webhooks/endpoint.ts';
import { ATTEMPT_DAYS, KEEP_OLD_SECRET_HOURS } from '../../webhooks/limits.ts';
import {
  changeEndpoint,
  createEndpoint,
  deleteEndpoint,
  listEndpoints,
  lockEndpoint,
  readEndpoint,
  rotateSecret,
} from '../../webhooks/manage.ts';
import { orderTest, redeliver, redeliverySchema } from '../../webhooks/redeliver.ts';
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

const attemptsRoute = createRoute({
  method: 'get',
  path: '/api/webhooks/{id}/attempts',
  operationId: 'listWebhookAttempts',
  tags,
  summary: 'List when a webhook endpoint was asked to take what, the newest first',
  description: `For ${ATTEMPT_DAYS} days.`,
  ...needs('webhooks'),
  request: { params: idParam, query: z.strictObject({ limit: limit(500, 100), cursor }) },
  responses: {
    200: answers('A page', z.object({ items: z.array(attemptSchema), nextCursor: z.string().nullable() })),
    ...problemResponses(404),
  },
});

const redeliverRoute = createRoute({
  method: 'post',
  path: '/api/webhooks/{id}/redeliver',
  operationId: 'redeliverWebhook',
  tags,
  summary: 'Tell a webhook endpoint again: of one event, of all that was given up, or of all since a time',
  description: 'The ids are those of before.',
  ...needs('webhooks'),
  request: { params: idParam, query: noQuery, headers: idempotencyHeaders, body: json(redeliverySchema) },
  responses: { 202: answers('It will be told', endpointSchema), ...problemResponses(404, 409, 413, 415, 422) },
});

const testRoute = createRoute({
  method: 'post',
  path: '/api/webhooks/{id}/test',
  operationId: 'testWebhook',
  tags,
  summary: 'Send a webhook endpoint a message of which nothing has happened',
  description: 'Its type is `webhook.test`. What came of it is among the attempts.',
  ...needs('webhooks'),
  request: { params: idParam, query: noQuery, headers: idempotencyHeaders },
  responses: { 202: answers('It will be sent', z.object({ eventId: z.uuid() })), ...problemResponses(404, 409, 422) },
});

/** `/api/webhooks` and what is below it. */
export function webhookRoutes(app: OpenAPIHono<HttpEnv>, deps: AppDependencies) {
  const { log, webhookHosts } = deps;
  const writer = createWriter(deps);
  const readCaller = callerReader(deps.trustedProxies);

  /** @throws Problem for an address that nothing would ever be sent to, or what the key may not give out */
  function check(
    c: Context<HttpEnv>,
    { url, includePersonalData }: Pick<EndpointChange, 'url' | 'includePersonalData'>,
  ) {
    if (includePersonalData) checkScope(c, 'leads:read');
    if (url === undefined) return;
    try {
      checkPostTarget(new URL(url), webhookHosts(new URL(url).hostname, portOf(new URL(url))));
    } catch (err) {
      if (!(err instanceof FetchError)) throw err;
      const errors = [{ path: 'url', message: 'must be an https address of the public Internet, without a user' }];
      throw new Problem(400, 'invalid-request', 'Correct the body: see errors.', { errors });
    }
  }

  /** Notes what is done to an endpoint, in the transaction that does it. */
  async function note(
    c: Context<HttpEnv>,
    tx: Prisma.TransactionClient,
    action: AuditAction,
    { id: subject, organizationId }: { id: string; organizationId: string | null },
    data: Prisma.InputJsonObject = {},
  ): Promise<void> {
    if (organizationId !== null) await recordAudit(tx, { organizationId, action, subject, data }, readCaller(c));
    log.info({ endpointId: subject, action, requestId: c.var.requestId }, 'webhook endpoint touched');
  }

  /** Gives a secret out once. What is kept for a repetition has none. */
  async function issue<Issued extends { id: string }>(
    c: Context<HttpEnv>,
    work: (tx: Prisma.TransactionClient) => Promise<Issued>,
  ): Promise<Issued> {
    const outcome = await writer.run(c, work, ({ id }) => ({ id }));
    if ('done' in outcome) return outcome.done;
    const { id } = outcome.doneBefore;
    throw new Problem(409, 'conflict', `This was done to the endpoint ${id}, whose secret was shown then. Rotate it.`);
  }

  return app
    .openapi(createEndpointRoute, async (c) => {
      const { organizationId: named, ...endpoint } = c.req.valid('json');
      const organizationId = organizationOf(c, named);
      check(c, endpoint);
      const issued = await issue(c, async (tx) => {
        const made = await createEndpoint(tx, organizationId, endpoint);
        await note(c, tx, 'webhook.created', made);
        return made;
      });
      return c.json(issued, 201);
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
      check(c, change);
      const changed = await writer.write(c, async (tx) => {
        const endpoint = await changeEndpoint(tx, id, change);
        await note(c, tx, 'webhook.changed', endpoint, { fields: Object.keys(change) });
        return endpoint;
      });
      return c.json(changed, 200);
    })
    .openapi(deleteRoute, async (c) => {
      const { id } = c.req.valid('param');
      await writer.write(c, async (tx) => note(c, tx, 'webhook.deleted', await deleteEndpoint(tx, id)));
      return c.body(null, 204);
    })
    .openapi(rotateRoute, async (c) => {
      const { id } = c.req.valid('param');
      const keepOldForMs = c.req.valid('query').keepOldForHours * MS_PER_HOUR;
      const issued = await issue(c, async (tx) => {
        const endpoint = await rotateSecret(tx, id, keepOldForMs);
        await note(c, tx, 'webhook.secret-rotated', endpoint);
        return endpoint;
      });
      return c.json(issued, 200);
    })
    .openapi(attemptsRoute, async (c) => {
      const page = { ...c.req.valid('query'), endpointId: c.req.valid('param').id };
      return c.json(await c.var.tenant.read((db) => listAttempts(db, page)), 200);
    })
    .openapi(redeliverRoute, async (c) => {
      const { id } = c.req.valid('param');
      const redelivery = c.req.valid('json');
      const endpoint = await writer.write(c, async (tx) => {
        await redeliver(tx, id, redelivery);
        const told = await readEndpoint(tx, id);
        await note(c, tx, 'webhook.redelivered', told, redelivery);
        return told;
      });
      return c.json(endpoint, 202);
    })
    .openapi(testRoute, async (c) => {
      const { id } = c.req.valid('param');
      const eventId = await writer.write(c, async (tx) => {
        const ordered = await orderTest(tx, id);
        await note(c, tx, 'webhook.tested', await lockEndpoint(tx, id), { eventId: ordered });
        return ordered;
      });
      return c.json({ eventId }, 202);
    });
}
