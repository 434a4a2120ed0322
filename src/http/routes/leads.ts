import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi';
import { SCORE_BANDS } from '../../../workflows/contract.ts';
import { LEAD_SOURCES, LEAD_STATUSES, leadSchema } from '../../leads/lead.ts';
import { getLead, listLeads } from '../../leads/read.ts';
import { leadChangeSchema, organizationId, userId } from '../../leads/submission.ts';
import { text } from '../../leads/text.ts';
import { updateLead } from '../../leads/update.ts';
import { callerReader } from '../caller.ts';
import type { AppDependencies, HttpEnv } from '../context.ts';
import { problemResponses } from '../problem.ts';
import { answers, cursor, idParam, limit, noQuery } from '../validation.ts';

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
  request: { params: idParam, query: noQuery },
  responses: { 200: answers('The lead', leadSchema), ...problemResponses(404) },
});

const patchRoute = createRoute({
  method: 'patch',
  path: '/api/leads/{id}',
  tags: ['leads'],
  summary: 'Change a lead',
  description: 'What the body leaves out stays as it is. A new assignee is notified.',
  request: {
    params: idParam,
    query: noQuery,
    body: { required: true, content: { 'application/json': { schema: leadChangeSchema } } },
  },
  responses: { 200: answers('The lead as it is now', leadSchema), ...problemResponses(404, 409, 413, 415) },
});

/** `GET /api/leads`, `GET /api/leads/{id}`, `PATCH /api/leads/{id}` */
export function leadRoutes(app: OpenAPIHono<HttpEnv>, { prisma, fastStart, trustedProxies }: AppDependencies): void {
  const readCaller = callerReader(trustedProxies);
  app.openapi(listRoute, async (c) => c.json(await listLeads(prisma, c.req.valid('query')), 200));
  app.openapi(getRoute, async (c) => c.json(await getLead(prisma, c.req.valid('param').id), 200));
  app.openapi(patchRoute, async (c) => {
    const change = c.req.valid('json');
    const lead = await updateLead(prisma, c.req.valid('param').id, change, readCaller(c));
    if (change.assignedTo) fastStart.leaveToRelays();
    return c.json(lead, 200);
  });
}
