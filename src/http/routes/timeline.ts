import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi';
import { MAX_PAGE_BYTES } from '../../db/paging.ts';
import { readAttempts } from '../../onboarding/attempts/read.ts';
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

const attempts = z
  .enum(['true', 'false'])
  .transform((text) => text === 'true')
  .default(false)
  .openapi({ type: 'boolean', default: false, description: 'Whether the attempts of the steps are answered as well' });

export const attemptSchema = z
  .object({
    step: z.string().openapi({ description: 'The activity', example: 'enrichLead' }),
    taskQueue: z.string().openapi({ example: 'lead' }),
    worker: z.string().openapi({ description: 'Its process and host', example: '4711@worker-lead-1' }),
    runId: z.string().openapi({ description: 'Of the workflow: attempts of a step are counted anew in each run' }),
    attempt: z.number().int().openapi({
      description: 'From 1. One that is missing was cut short with its worker, or could not be stored',
    }),
    waitedMs: z.number().int().openapi({ description: 'For a worker: from when it could have begun until it did' }),
    startedAt: z.iso.datetime().openapi({ description: "By the worker's clock" }),
    endedAt: z.iso.datetime(),
    durationMs: z.number().int(),
    outcome: z.enum(['completed', 'failed', 'gave_up', 'canceled']).openapi({
      description: '`failed`: tried again, unless its run is over; `gave_up`: not tried again',
    }),
    error: z.object({ type: z.string(), message: z.string() }).nullable(),
  })
  .openapi('StepAttempt');

const pageSchema = z.object({
  items: z.array(entrySchema),
  nextCursor: z.string().nullable(),
  attempts: z
    .array(attemptSchema)
    .optional()
    .openapi({
      description:
        'With `attempts=true`, on whichever page: the newest 200 attempts of the steps, the oldest first. One is there ' +
        'a second after its end, and for `ATTEMPT_DAYS`',
    }),
});

const route = createRoute({
  method: 'get',
  path: '/api/leads/{id}/timeline',
  operationId: 'getTimeline',
  tags: ['leads'],
  summary: 'What happened to a lead, the oldest first',
  ...needs('leads:read'),
  request: { params: idParam, query: z.strictObject({ limit: limit(500, 100), cursor, attempts }) },
  responses: {
    200: answers('A page', pageSchema),
    ...problemResponses(404),
  },
});

/** `GET /api/leads/{id}/timeline` */
export function timelineRoutes(app: OpenAPIHono<HttpEnv>) {
  return app.openapi(route, async (c) => {
    const { attempts: isAsked, ...page } = c.req.valid('query');
    const leadId = c.req.valid('param').id;
    const answer = await c.var.tenant.read(async (db) => {
      if (!isAsked) return readTimeline(db, { leadId, ...page });
      const attempts = await readAttempts(db, leadId);
      const maxBytes = MAX_PAGE_BYTES - Buffer.byteLength(JSON.stringify(attempts));
      return { ...(await readTimeline(db, { leadId, ...page, maxBytes })), attempts };
    });
    return c.json(answer, 200);
  });
}
