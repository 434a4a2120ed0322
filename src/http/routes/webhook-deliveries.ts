import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi';
import { attemptSchema, listAttempts } from '../../webhooks/attempts.ts';
import { endpointSchema } from '../../webhooks/endpoint.ts';
import { ATTEMPT_DAYS } from '../../webhooks/limits.ts';
import { readEndpoint } from '../../webhooks/manage.ts';
import { noteEndpoint } from '../../webhooks/note.ts';
import { orderTest, redeliver, redeliverySchema } from '../../webhooks/redeliver.ts';
import { problemResponses } from '../answers/problem.ts';
import type { AppDependencies, HttpEnv } from '../context.ts';
import { needs } from '../guards/authorization.ts';
import { callerReader } from '../request/caller.ts';
import { createWriter, idempotencyHeaders } from '../request/idempotency.ts';
import { answers, cursor, idParam, limit, noQuery } from '../request/validation.ts';

const tags = ['webhooks'];

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
  request: {
    params: idParam,
    query: noQuery,
    headers: idempotencyHeaders,
    body: { required: true, content: { 'application/json': { schema: redeliverySchema } } },
  },
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

/** `GET /api/webhooks/{id}/attempts`, `POST …/redeliver`, `POST …/test` */
export function webhookDeliveryRoutes(app: OpenAPIHono<HttpEnv>, deps: AppDependencies) {
  const writer = createWriter(deps);
  const readCaller = callerReader(deps.trustedProxies);

  return app
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
        await noteEndpoint(tx, 'webhook.redelivered', told, readCaller(c), redelivery);
        return told;
      });
      return c.json(endpoint, 202);
    })
    .openapi(testRoute, async (c) => {
      const { id } = c.req.valid('param');
      const eventId = await writer.write(c, async (tx) => {
        const ordered = await orderTest(tx, id);
        await noteEndpoint(tx, 'webhook.tested', await readEndpoint(tx, id), readCaller(c), { eventId: ordered });
        return ordered;
      });
      return c.json({ eventId }, 202);
    });
}
