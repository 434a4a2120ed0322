import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi';
import { auditEntrySchema, listAudit } from '../../audit/entry.ts';
import { problemResponses } from '../answers/problem.ts';
import type { HttpEnv } from '../context.ts';
import { needs, organizationOf } from '../guards/authorization.ts';
import { answers, cursor, limit, ownOrganization } from '../request/validation.ts';

const listRoute = createRoute({
  method: 'get',
  path: '/api/audit',
  operationId: 'listAudit',
  tags: ['audit'],
  summary: 'List what was done to an organization, the newest first',
  description:
    "Keys made, replaced and revoked, rules activated and rescores. What was done to a lead is on that lead's timeline.",
  ...needs('ops'),
  request: { query: z.strictObject({ organizationId: ownOrganization, limit: limit(100, 50), cursor }) },
  responses: {
    200: answers('A page', z.object({ items: z.array(auditEntrySchema), nextCursor: z.string().nullable() })),
    ...problemResponses(),
  },
});

/** `GET /api/audit` */
export function auditRoutes(app: OpenAPIHono<HttpEnv>) {
  return app.openapi(listRoute, async (c) => {
    const { organizationId: named, ...page } = c.req.valid('query');
    const entries = { ...page, organizationId: organizationOf(c, named) };
    return c.json(await c.var.tenant.read((db) => listAudit(db, entries)), 200);
  });
}
