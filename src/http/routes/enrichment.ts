import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi';
import type { Prisma } from '../../db/generated/client.ts';
import { enterFields } from '../../enrichment/enter-fields.ts';
import { fieldChangeSchema } from '../../enrichment/field-change.ts';
import { readEnrichment } from '../../enrichment/read-enrichment.ts';
import { enrichedValueSchema, providerReportSchema } from '../../leads/lead.ts';
import { orderEnrichment } from '../../onboarding/enrich-command.ts';
import { needs } from '../guards/authorization.ts';
import { callerReader } from '../request/caller.ts';
import { createWriter, idempotencyHeaders } from '../request/idempotency.ts';
import type { AppDependencies, HttpEnv } from '../context.ts';
import { problemResponses } from '../answers/problem.ts';
import { answers, idParam, noQuery } from '../request/validation.ts';

export const enrichmentSchema = z
  .object({
    leadId: z.uuid(),
    outcome: z.enum(['completed', 'partial']).nullable(),
    retryAt: z.iso.datetime().nullable().openapi({ description: 'While providers are to be asked again' }),
    fields: z.record(z.string(), enrichedValueSchema),
    conflicts: z
      .array(enrichedValueSchema.extend({ field: z.string() }))
      .openapi({ description: 'What sources say, and the lead does not have' }),
    providers: z.array(providerReportSchema),
  })
  .openapi('Enrichment');

const getRoute = createRoute({
  method: 'get',
  path: '/api/leads/{id}/enrichment',
  operationId: 'getEnrichment',
  tags: ['enrichment'],
  summary: 'What is known of a lead from elsewhere, and who says so',
  ...needs('leads:read'),
  request: { params: idParam, query: noQuery },
  responses: {
    200: answers('Values with their sources, and what differs', enrichmentSchema),
    ...problemResponses(404),
  },
});

const patchRoute = createRoute({
  method: 'patch',
  path: '/api/leads/{id}/enrichment',
  operationId: 'enterEnrichment',
  tags: ['enrichment'],
  summary: 'Enter what a human knows of a lead',
  description: 'No provider takes the place of what is entered. `null` takes back what was entered before.',
  ...needs('leads:write'),
  request: {
    params: idParam,
    query: noQuery,
    headers: idempotencyHeaders,
    body: { required: true, content: { 'application/json': { schema: fieldChangeSchema } } },
  },
  responses: { 200: answers('As it is now', enrichmentSchema), ...problemResponses(404, 410, 413, 415, 422) },
});

const enrichRoute = createRoute({
  method: 'post',
  path: '/api/leads/{id}/enrich',
  operationId: 'enrichLead',
  tags: ['enrichment'],
  summary: 'Enrich a lead again, and score it by what is known then',
  description: 'One at a time for each lead: while one is under way, another order counts as that one.',
  ...needs('leads:write'),
  request: {
    params: idParam,
    headers: idempotencyHeaders,
    query: z.strictObject({
      fresh: z
        .enum(['true', 'false'])
        .default('false')
        .openapi({ description: 'Whether to ask sources whose answer is remembered' }),
    }),
  },
  responses: {
    202: answers('Accepted, and durable', z.object({ leadId: z.uuid(), run: z.uuid() })),
    ...problemResponses(404, 409, 410, 422),
  },
});

/** `GET` and `PATCH /api/leads/{id}/enrichment`, `POST /api/leads/{id}/enrich` */
export function enrichmentRoutes(app: OpenAPIHono<HttpEnv>, deps: AppDependencies) {
  const readCaller = callerReader(deps.trustedProxies);
  const writer = createWriter(deps);

  return app
    .openapi(getRoute, async (c) => {
      const { id } = c.req.valid('param');
      return c.json(await c.var.tenant.read((db) => readEnrichment(db, id)), 200);
    })
    .openapi(patchRoute, async (c) => {
      const { id } = c.req.valid('param');
      const { fields } = c.req.valid('json');
      const caller = readCaller(c);
      const enter = async (tx: Prisma.TransactionClient) => {
        await enterFields(tx, id, fields, caller);
        return readEnrichment(tx, id);
      };
      const enrichment = await writer.write(c, enter, { leadId: id });
      return c.json(enrichment, 200);
    })
    .openapi(enrichRoute, async (c) => {
      const { id } = c.req.valid('param');
      const request = { caller: readCaller(c), fresh: c.req.valid('query').fresh === 'true' };
      const place = async (tx: Prisma.TransactionClient, orderDelayMs: number) => {
        const order = await orderEnrichment(tx, id, { ...request, orderDelayMs });
        return { order, answer: { leadId: order.leadId, run: order.payload.run } };
      };
      const accepted = await writer.order(c, place, { leadId: id });
      return c.json(accepted, 202);
    });
}
