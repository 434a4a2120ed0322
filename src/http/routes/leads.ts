import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi';
import { SCORE_BANDS } from '../../../workflows/contract.ts';
import { LEAD_SOURCES, LEAD_STATUSES, leadSchema } from '../../leads/lead.ts';
import { getLead, listLeads } from '../../leads/read.ts';
import { leadChangeSchema, userId } from '../../leads/submission.ts';
import { text } from '../../leads/text.ts';
import { updateLead } from '../../leads/update.ts';
import { needs, organizationOf } from '../authorization.ts';
import { callerReader } from '../caller.ts';
import type { AppDependencies, HttpEnv } from '../context.ts';
import { problemResponses } from '../problem.ts';
import { answers, cursor, idParam, limit, noQuery, ownOrganization } from '../validation.ts';

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
  ...needs('leads:read'),
  request: { params: idParam, query: noQuery },
  responses: { 200: answers('The lead', leadSchema), ...problemResponses(404) },
});

const patchRoute = createRoute({
  method: 'patch',
  path: '/api/leads/{id}',
  tags: ['leads'],
  summary: 'Change a lead',
  ...needs('leads:write'),
  description: 'What the body leaves out stays as it is. A new assignee is notified.',
  request: {
    params: idParam,
    query: noQuery,
    body: { required: true, content: { 'application/json': { schema: leadChangeSchema } } },
  },
  responses: { 200: answers('The lead as it is now', leadSchema), ...problemResponses(404, 409, 413, 415) },
});

/** `GET /api/leads`, `GET /api/leads/{id}`, `PATCH /api/leads/{id}` */
export function leadRoutes(app: OpenAPIHono<HttpEnv>, { fastStart, trustedProxies }: AppDependencies): void {
  const readCaller = callerReader(trustedProxies);
  app.openapi(listRoute, async (c) => {
    const query = c.req.valid('query');
    const filter = { ...query, organizationId: organizationOf(c, query.organizationId) };
    return c.json(await c.var.tenant.read((db) => listLeads(db, filter)), 200);
  });
  app.openapi(getRoute, async (c) => {
    const { id } = c.req.valid('param');
    return c.json(await c.var.tenant.read((db) => getLead(db, id)), 200);
  });
  app.openapi(patchRoute, async (c) => {
    const { id } = c.req.valid('param');
    const change = c.req.valid('json');
    const caller = readCaller(c);
    const lead = await c.var.tenant.write((tx) => updateLead(tx, id, change, caller));
    if (change.assignedTo) fastStart.leaveToRelays();
    return c.json(lead, 200);
  });
}
