import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi';
import { etag } from 'hono/etag';
import { LEAD_SOURCES, SCORE_BANDS } from '../../../workflows/contract.ts';
import type { Prisma } from '../../db/generated/client.ts';
import { LEAD_STATUSES, leadSchema } from '../../leads/lead.ts';
import { getLead, listLeads } from '../../leads/read.ts';
import { leadChangeSchema } from '../../leads/submission.ts';
import { text, userId } from '../../db/text.ts';
import { updateLead } from '../../leads/update.ts';
import { needs, organizationOf } from '../guards/authorization.ts';
import { callerReader } from '../request/caller.ts';
import { createWriter, idempotencyHeaders } from '../request/idempotency.ts';
import type { AppDependencies, HttpEnv } from '../context.ts';
import { problemResponses } from '../answers/problem.ts';
import { answers, cursor, etagHeader, idParam, limit, noQuery, ownOrganization } from '../request/validation.ts';

const listRoute = createRoute({
  method: 'get',
  path: '/api/leads',
  tags: ['leads'],
  summary: "List an organization's leads, the newest first",
  ...needs('leads:read'),
  request: {
    query: z.strictObject({
      organizationId: ownOrganization,
      status: z.enum(LEAD_STATUSES).optional(),
      source: z.enum(LEAD_SOURCES).optional(),
      assignedTo: userId.optional(),
      scoreBand: z.enum(SCORE_BANDS).optional(),
      q: text(200).optional().openapi({
        description:
          'Part of a name, e-mail, company or phone; of fewer than three characters: what a word of them begins with',
      }),
      limit: limit(100, 50),
      cursor,
    }),
  },
  responses: {
    200: answers('A page', z.object({ items: z.array(leadSchema), nextCursor: z.string().nullable() })),
    ...problemResponses(),
  },
});

const getRoute = createRoute({
  method: 'get',
  path: '/api/leads/{id}',
  tags: ['leads'],
  summary: 'Read a lead',
  ...needs('leads:read'),
  request: {
    params: idParam,
    query: noQuery,
    headers: z.object({ 'if-none-match': z.string().optional().openapi({ description: 'ETags that the caller has' }) }),
  },
  responses: {
    200: { ...answers('The lead', leadSchema), headers: z.object(etagHeader) },
    304: { description: 'It is what `If-None-Match` names', headers: z.object(etagHeader) },
    ...problemResponses(404),
  },
});

const ETAG = String.raw`(?:W/)?"[\x21\x23-\x7e]*"`;
const ifMatch = z
  .string()
  .regex(new RegExp(`^(\\*|${ETAG}( *, *${ETAG})*)$`), 'must be the ETag of an answer, with its quotes, or *')
  .openapi({ description: 'The ETag of the lead that the change is meant for' });

const patchRoute = createRoute({
  method: 'patch',
  path: '/api/leads/{id}',
  tags: ['leads'],
  summary: 'Change a lead',
  ...needs('leads:write'),
  description:
    'What the body leaves out stays as it is. A new assignee is notified; a new priority orders the steps of the ' +
    'onboarding that are still to come. With `If-Match` the change is made only if no other caller has changed the ' +
    'lead since it had that ETag; what the onboarding adds meanwhile, such as the score, does not count.',
  request: {
    params: idParam,
    query: noQuery,
    headers: idempotencyHeaders.extend({ 'if-match': ifMatch.optional() }),
    body: { required: true, content: { 'application/json': { schema: leadChangeSchema } } },
  },
  responses: {
    200: { ...answers('The lead as it is now', leadSchema), headers: z.object(etagHeader) },
    ...problemResponses(404, 409, 410, 412, 413, 415, 422),
  },
});

/** `GET /api/leads`, `GET /api/leads/{id}`, `PATCH /api/leads/{id}` */
export function leadRoutes(app: OpenAPIHono<HttpEnv>, deps: AppDependencies) {
  const { fastStart, trustedProxies } = deps;
  const readCaller = callerReader(trustedProxies);
  const writer = createWriter(deps);
  app.use(getRoute.getRoutingPath(), etag()); // answers If-None-Match
  return app
    .openapi(listRoute, async (c) => {
      const query = c.req.valid('query');
      const filter = { ...query, organizationId: organizationOf(c, query.organizationId) };
      return c.json(await c.var.tenant.read((db) => listLeads(db, filter)), 200);
    })
    .openapi(getRoute, async (c) => {
      const { id } = c.req.valid('param');
      const tagged = await c.var.tenant.read((db) => getLead(db, id));
      c.header('etag', tagged.etag);
      return c.json(tagged.lead, 200);
    })
    .openapi(patchRoute, async (c) => {
      const { id } = c.req.valid('param');
      const change = c.req.valid('json');
      const caller = readCaller(c);
      const ifMatch = c.req.valid('header')['if-match'];
      const work = (tx: Prisma.TransactionClient) => updateLead(tx, id, change, caller, ifMatch);
      const tagged = await writer.write(c, work, { leadId: id });
      if (change.assignedTo || change.priority) fastStart.leaveToRelays();
      c.header('etag', tagged.etag);
      return c.json(tagged.lead, 200);
    });
}
