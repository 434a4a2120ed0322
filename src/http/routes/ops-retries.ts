import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi';
import { BulkRetryState } from '../../db/generated/enums.ts';
import { text } from '../../db/text.ts';
import {
  BULK_RETRY_COMMANDS,
  BULK_RETRY_OUTCOMES,
  type BulkRetryCommand,
  commandBulkRetry,
  dryRunRetry,
  readBulkRetry,
  startBulkRetry,
} from '../../failures/bulk-retry.ts';
import { failureFilterFields } from '../../failures/filter.ts';
import { leadOutcomeSchema, readOutcomes } from '../../failures/outcomes.ts';
import { withSlot } from '../../outbox/with-slot.ts';
import { answerLines } from '../answers/lines.ts';
import { problemResponses } from '../answers/problem.ts';
import type { AppDependencies, HttpEnv } from '../context.ts';
import { forOperators } from '../guards/authorization.ts';
import { callerReader } from '../request/caller.ts';
import { refuseIdempotencyKey } from '../request/idempotency.ts';
import { answers, idParam, noQuery } from '../request/validation.ts';

/** Leads a second: what two processors onboard besides, and what they could at most. */
const PER_SECOND = { preset: 10, max: 50 };

/** Why an operator does something, for the audit. */
export const reason = text(500).openapi({ example: 'The CRM was down until 14:00', description: 'For the audit' });

const count = z.number().int();

const newRetrySchema = z
  .strictObject({
    filter: z.strictObject(failureFilterFields).openapi({ description: 'What `GET /ops/failures` takes' }),
    dryRun: z.boolean().default(true).openapi({ description: 'Only say how many leads it would be' }),
    perSecond: count.min(1).max(PER_SECOND.max).default(PER_SECOND.preset),
    reason: reason.optional(),
  })
  .refine(({ dryRun, reason: why }) => dryRun || why !== undefined, {
    path: ['reason'],
    message: 'is required unless dryRun is true',
  })
  .openapi('NewBulkRetry');

const dryRunSchema = z
  .object({
    dryRun: z.literal(true),
    leads: count,
    sample: z.array(z.uuid()).openapi({ description: 'Ids of some of them' }),
  })
  .openapi('BulkRetryDryRun');

const bulkRetrySchema = z
  .object({
    id: z.uuid(),
    filter: z.object(failureFilterFields),
    state: z.enum(BulkRetryState),
    reason: z.string(),
    total: count,
    perSecond: count,
    outcomes: z
      .object(
        Object.fromEntries(BULK_RETRY_OUTCOMES.map((outcome) => [outcome, count])) as Record<Outcome, typeof count>,
      )
      .openapi({ description: 'Leads by what became of them; `SKIPPED`: they were not to be retried any more' }),
    startedAt: z.iso.datetime(),
    updatedAt: z.iso.datetime(),
    finishedAt: z.iso.datetime().nullable().openapi({ description: 'When every lead had its outcome' }),
    workflowId: z.string(),
  })
  .openapi('BulkRetry');

type Outcome = (typeof BULK_RETRY_OUTCOMES)[number];

const startRoute = createRoute({
  method: 'post',
  path: '/ops/retries',
  operationId: 'createBulkRetry',
  tags: ['operations'],
  summary: 'Retry all onboardings that failed of something',
  description:
    'Unless `dryRun` is false it only counts. Else the leads that have failed by now are retried, each once and so many ' +
    'a second; all other leads go first. One retry is under way at a time, so a repetition is answered with 409, which ' +
    'names it.',
  ...forOperators,
  request: { query: noQuery, body: { required: true, content: { 'application/json': { schema: newRetrySchema } } } },
  responses: {
    200: answers('What it would be', dryRunSchema),
    202: answers('Accepted, and durable', bulkRetrySchema),
    ...problemResponses(409, 413, 415),
  },
});

const readRoute = createRoute({
  method: 'get',
  path: '/ops/retries/{id}',
  operationId: 'getBulkRetry',
  tags: ['operations'],
  summary: 'How far a retry has come',
  ...forOperators,
  request: { params: idParam, query: noQuery },
  responses: { 200: answers('State and outcomes', bulkRetrySchema), ...problemResponses(404) },
});

const leadsRoute = createRoute({
  method: 'get',
  path: '/ops/retries/{id}/leads',
  operationId: 'listBulkRetryLeads',
  tags: ['operations'],
  summary: 'What became of each lead of a retry',
  description: 'One JSON value a line, https://jsonlines.org.',
  ...forOperators,
  request: { params: idParam, query: z.strictObject({ outcome: z.enum(BULK_RETRY_OUTCOMES).optional() }) },
  responses: {
    200: { description: 'Lines', content: { 'application/x-ndjson': { schema: leadOutcomeSchema } } },
    ...problemResponses(404),
  },
});

const SUMMARIES: Record<BulkRetryCommand, string> = {
  pause: 'Retry no further lead, until it is resumed',
  resume: 'Go on where it was paused',
  cancel: 'End it: leads that wait are not retried, those under way go on',
};

const commandRoute = (command: BulkRetryCommand) =>
  createRoute({
    method: 'post',
    path: `/ops/retries/{id}/${command}` as const,
    operationId: `${command}BulkRetry`,
    tags: ['operations'],
    summary: SUMMARIES[command],
    ...forOperators,
    request: {
      params: idParam,
      query: noQuery,
      body: { required: true, content: { 'application/json': { schema: z.strictObject({ reason }) } } },
    },
    responses: { 202: answers('Accepted, and durable', bulkRetrySchema), ...problemResponses(404, 409, 413, 415) },
  });

const NO_KEY = 'is not taken: one retry is under way at a time, and a command that was carried out is refused';

/** `POST /ops/retries`, `GET /ops/retries/{id}`, `GET /ops/retries/{id}/leads`, `POST /ops/retries/{id}/{command}` */
export function bulkRetryRoutes(app: OpenAPIHono<HttpEnv>, deps: AppDependencies) {
  const { fastStart, intake, log } = deps;
  const { pool, prisma } = deps.operators;
  const readCaller = callerReader(deps.trustedProxies);

  app
    .openapi(startRoute, async (c) => {
      refuseIdempotencyKey(c, NO_KEY);
      const { filter, dryRun, perSecond, reason: why = '' } = c.req.valid('json');
      if (dryRun) return c.json({ dryRun, ...(await dryRunRetry(pool, filter)) }, 200);
      const retry = { filter, perSecond, reason: why, enrichmentDelayMs: intake.enrichmentDelayMs };
      const caller = readCaller(c);
      const progress = await withSlot(fastStart, (orderDelayMs) =>
        prisma.$transaction((tx) => startBulkRetry(tx, { ...retry, caller, orderDelayMs })),
      );
      return c.json(progress, 202);
    })
    .openapi(readRoute, async (c) => c.json(await readBulkRetry(prisma, c.req.valid('param').id), 200))
    .openapi(leadsRoute, async (c) => {
      const outcomes = readOutcomes(prisma, c.req.valid('param').id, c.req.valid('query').outcome);
      return (await answerLines(c, outcomes, log)) as never; // the library knows no type for what is streamed
    });

  for (const command of BULK_RETRY_COMMANDS) {
    app.openapi(commandRoute(command), async (c) => {
      refuseIdempotencyKey(c, NO_KEY);
      const context = { reason: c.req.valid('json').reason, caller: readCaller(c) };
      const { id } = c.req.valid('param');
      const progress = await withSlot(fastStart, (orderDelayMs) =>
        prisma.$transaction((tx) => commandBulkRetry(tx, id, command, { ...context, orderDelayMs })),
      );
      return c.json(progress, 202);
    });
  }
}
