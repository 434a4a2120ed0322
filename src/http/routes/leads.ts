import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi';
import { etag } from 'hono/etag';
import { SCORE_BANDS } from '../../../workflows/contract.ts';
import { LEAD_SOURCES, LEAD_STATUSES, leadSchema } from '../../leads/lead.ts';
import { getLead, listLeads } from '../../leads/read.ts';
import { leadChangeSchema, organizationId, userId } from '../../leads/submission.ts';
import { text } from '../../leads/text.ts';
import { updateLead } from '../../leads/update.ts';
import { callerReader } from '../caller.ts';
import type { AppDependencies, HttpEnv } from '../context.ts';
import { problemResponses } from '../problem.ts';
import { answers, cursor, etagHeader, idParam, limit, noQuery } from '../validation.ts';

const listRoute = createRoute({
  method: 'get',
  path: '/api/leads',
  tags: ['leads'],
  summary: "List an organization's leads, the newest first",
  request: {
    query: z.strictObject({
      organizationId,
      status: z.enum(LEAD_STATUSES).optional(),
      source: z.enum(LEAD_SOURCES).optional(),
      assignedTo: userId.optional(),
      scoreBand: z.enum(SCORE_BANDS).optional(),
      q: text(200).optional().openapi({ description: 'Part of a name, e-mail, company or phone' }),
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
  description:
    'What the body leaves out stays as it is. A new assignee is notified; a new priority orders the steps of the ' +
    'onboarding that are still to come. With `If-Match` the change is made only if no other caller has changed the ' +
    'lead since it had that ETag; what the onboarding adds meanwhile, such as the score, does not count.',
  request: {
    params: idParam,
    query: noQuery,
    headers: z.object({ 'if-match': ifMatch.optional() }),
    body: { required: true, content: { 'application/json': { schema: leadChangeSchema } } },
  },
  responses: {
    200: { ...answers('The lead as it is now', leadSchema), headers: z.object(etagHeader) },
    ...problemResponses(404, 409, 412, 413, 415),
  },
});

/** `GET /api/leads`, `GET /api/leads/{id}`, `PATCH /api/leads/{id}` */
export function leadRoutes(app: OpenAPIHono<HttpEnv>, { prisma, trustedProxies }: AppDependencies): void {
  const readCaller = callerReader(trustedProxies);
  app.openapi(listRoute, async (c) => c.json(await listLeads(prisma, c.req.valid('query')), 200));

  app.use(getRoute.getRoutingPath(), etag()); // answers If-None-Match
  app.openapi(getRoute, async (c) => {
    const tagged = await getLead(prisma, c.req.valid('param').id);
    c.header('etag', tagged.etag);
    return c.json(tagged.lead, 200);
  });

  app.openapi(patchRoute, async (c) => {
    const [{ id }, change] = [c.req.valid('param'), c.req.valid('json')];
    const tagged = await updateLead(prisma, id, change, readCaller(c), c.req.valid('header')['if-match']);
    c.header('etag', tagged.etag);
    return c.json(tagged.lead, 200);
  });
}
