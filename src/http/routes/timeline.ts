import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi';
import { readTimeline } from '../../leads/timeline.ts';
import { needs } from '../guards/authorization.ts';
import type { HttpEnv } from '../context.ts';
import { problemResponses } from '../answers/problem.ts';
import { answers, cursor, idParam, limit } from '../request/validation.ts';

export const entrySchema = z
  .object({
    id: z.uuid(),
    type: z.string().openapi({ example: 'notification.created' }),
    at: z.iso.datetime(),
    elapsedMs: z.number().int().openapi({ description: 'Milliseconds since the lead was created' }),
    data: z.record(z.string(), z.unknown()),
  })
  .openapi('TimelineEntry');

const route = createRoute({
  method: 'get',
  path: '/api/leads/{id}/timeline',
  tags: ['leads'],
  summary: 'What happened to a lead, the oldest first',
  ...needs('leads:read'),
  request: { params: idParam, query: z.strictObject({ limit: limit(500, 100), cursor }) },
  responses: {
    200: answers('A page', z.object({ items: z.array(entrySchema), nextCursor: z.string().nullable() })),
    ...problemResponses(404),
  },
});

/** `GET /api/leads/{id}/timeline` */
export function timelineRoutes(app: OpenAPIHono<HttpEnv>) {
  return app.openapi(route, async (c) => {
    const page = { leadId: c.req.valid('param').id, ...c.req.valid('query') };
    return c.json(await c.var.tenant.read((db) => readTimeline(db, page)), 200);
  });
}
