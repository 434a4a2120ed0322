import { ReadableStream, TextEncoderStream } from 'node:stream/web';
import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi';
import { SCORE_BANDS } from '../../../workflows/contract.ts';
import { ScoreCause } from '../../db/generated/enums.ts';
import { eraseLead } from '../../personal-data/erase.ts';
import { exportLead } from '../../personal-data/export.ts';
import { leadSchema } from '../../leads/lead.ts';
import type { Logger } from '../../telemetry/logger.ts';
import { notificationSchema } from '../../notifications/notification.ts';
import { needs } from '../guards/authorization.ts';
import { callerReader } from '../request/caller.ts';
import { createWriter, idempotencyHeaders } from '../request/idempotency.ts';
import type { AppDependencies, HttpEnv } from '../context.ts';
import { problemResponses } from '../answers/problem.ts';
import { answers, idParam, noQuery } from '../request/validation.ts';
import { enrichmentSchema } from './enrichment.ts';
import { entrySchema } from './timeline.ts';

const eraseRoute = createRoute({
  method: 'delete',
  path: '/api/leads/{id}',
  operationId: 'eraseLead',
  tags: ['personal data'],
  summary: 'Erase a person',
  ...needs('leads:erase'),
  description:
    'Erases the lead, its timeline, notifications and kept answers, at once and for good, and cancels a running ' +
    'onboarding. Of the timeline one entry stays, `lead.erased`, with the caller, the key and the time. The same person may ' +
    'come again by a new request; a repetition of an old one, by its `Idempotency-Key`, is answered with 410.',
  request: { params: idParam, query: noQuery, headers: idempotencyHeaders },
  responses: {
    202: answers(
      'Nobody can read anything of the person any more; the rest of a long timeline is deleted within minutes',
      z.object({ status: z.literal('erasing') }),
    ),
    204: { description: 'Nothing is left of the person' },
    ...problemResponses(404, 409, 422),
  },
});

const exportSchema = z
  .object({
    exportedAt: z.iso.datetime(),
    lead: leadSchema.extend({
      scoreBreakdown: z
        .array(z.object({ rule: z.string(), points: z.number().int(), reason: z.string() }))
        .nullable()
        .openapi({ description: 'The lines that sum to `score`' }),
    }),
    enrichmentConflicts: enrichmentSchema.shape.conflicts,
    notifications: z.array(notificationSchema),
    scores: z
      .array(
        z.object({
          score: z.number().int(),
          band: z.enum(SCORE_BANDS),
          ruleVersion: z.number().int(),
          cause: z.enum(ScoreCause),
          at: z.iso.datetime(),
          lines: z.array(
            z.object({ rule: z.string(), points: z.number().int(), reason: z.record(z.string(), z.string()) }),
          ),
        }),
      )
      .openapi({ description: 'Scores that were calculated, the oldest first, with what they sum up' }),
    scoreOverrides: z
      .array(
        z.object({
          score: z.number().int(),
          reason: z.string(),
          setBy: z.string().nullable(),
          setAt: z.iso.datetime(),
          endedBy: z.string().nullable(),
          endedAt: z.iso.datetime().nullable(),
        }),
      )
      .openapi({ description: "Scores that a person has put in place of the lead's own" }),
    timeline: z.array(entrySchema).openapi({ description: 'Entries `lead.touched` have what was sent again' }),
  })
  .openapi('LeadExport');

const exportRoute = createRoute({
  method: 'get',
  path: '/api/leads/{id}/export',
  operationId: 'exportLead',
  tags: ['personal data'],
  summary: 'Read all that is known of a person',
  ...needs('leads:read'),
  description: 'One document, streamed. When the lead is erased meanwhile, the answer breaks off before its end.',
  request: { params: idParam, query: noQuery },
  responses: {
    200: {
      ...answers('The document', exportSchema),
      headers: z.object({ 'content-disposition': z.string(), 'cache-control': z.literal('no-store') }),
    },
    ...problemResponses(404),
  },
});

/** `DELETE /api/leads/{id}`, `GET /api/leads/{id}/export` */
export function personalDataRoutes(app: OpenAPIHono<HttpEnv>, deps: AppDependencies) {
  const { log } = deps;
  const writer = createWriter(deps);
  const readCaller = callerReader(deps.trustedProxies);

  return app
    .openapi(eraseRoute, async (c) => {
      const { id } = c.req.valid('param');
      const caller = readCaller(c);
      const { requestId } = caller;
      const { leftovers } = await writer.order(c, async (tx, orderDelayMs) => {
        const erasure = { reason: 'request', requestId, origin: { ...caller }, orderDelayMs } as const;
        const { order, leftovers } = await eraseLead(tx, id, erasure);
        return { order, answer: { leftovers } };
      });
      log.info({ leadId: id, requestId, leftovers }, 'lead erased');
      return leftovers ? c.json({ status: 'erasing' } as const, 202) : c.body(null, 204);
    })
    .openapi(exportRoute, async (c) => {
      const { id } = c.req.valid('param');
      const parts = await exportLead((work) => c.var.tenant.read(work), id);
      const ids = { leadId: id, requestId: c.get('requestId') };
      const stream = ReadableStream.from(reportFailure(parts, log, ids)).pipeThrough(new TextEncoderStream());
      return c.body(stream as never, 200, {
        'content-type': 'application/json',
        'content-disposition': `attachment; filename="lead-${id}.json"`,
        'cache-control': 'no-store',
      }) as never; // the library knows no type for JSON that is streamed
    });
}

/** The server prints what a stream fails with: what goes there must not quote a person. */
async function* reportFailure(parts: AsyncIterable<string>, log: Logger, ids: object) {
  try {
    yield* parts;
  } catch (err) {
    log.error({ ...ids, err }, 'export broken off');
    throw new Error('The export was broken off');
  }
}
