import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi';
import { uuidv7 } from 'uuidv7';
import { TASK_QUEUES } from '../../../workflows/contract.ts';
import { recordOperatorAction } from '../../audit/operator-action.ts';
import { isUnanswered, LIMITABLE_QUEUES, LimitUnknown, setLimit } from '../../ops/queue-limit.ts';
import { readQueues } from '../../ops/queues.ts';
import { Problem, problemResponses } from '../answers/problem.ts';
import type { AppDependencies, HttpEnv } from '../context.ts';
import { forOperators } from '../guards/authorization.ts';
import { callerReader } from '../request/caller.ts';
import { refuseIdempotencyKey } from '../request/idempotency.ts';
import { answers, noQuery } from '../request/validation.ts';
import { reason } from './ops-retries.ts';

const count = z.number().int();

const counts = z.object({ minute: count, hour: count, day: count }).nullable();
const quantiles = z.object({ p50: z.number(), p95: z.number(), p99: z.number() });

const limitSchema = z
  .object({
    perSecond: z.number().openapi({ description: '0: it is paused' }),
    since: z.iso.datetime().nullable(),
    reason: z.string(),
    by: z.string(),
  })
  .openapi('QueueLimit', { description: 'The queue gives out so many tasks a second, at most' });

const queueSchema = z
  .object({
    queue: z.enum(Object.values(TASK_QUEUES)),
    readAt: z.iso.datetime().nullable().openapi({ description: 'When a relay read what is of Temporal here' }),
    fresh: z.boolean().openapi({ description: 'False when that is older than a minute, or was never' }),
    waiting: z
      .object({
        tasks: count,
        oldestSeconds: z.number(),
        byPriority: z
          .array(z.object({ priority: count, tasks: count, oldestSeconds: z.number() }))
          .openapi({ description: '1 goes first; 5 is what has time' }),
      })
      .nullable(),
    active: z
      .object({ slotsUsed: count, slots: count })
      .nullable()
      .openapi({ description: 'Null where the server does not tell' }),
    rates: z.object({ addedPerSecond: z.number(), takenPerSecond: z.number() }).nullable(),
    workers: z
      .object({
        count,
        seen: z
          .array(
            z.object({
              identity: z.string(),
              version: z.string().nullable().openapi({ description: 'Its WORKER_BUILD_ID' }),
              slotsUsed: count,
              slots: count,
              lastSeenAt: z.iso.datetime(),
            }),
          )
          .openapi({ description: 'The first 200' }),
      })
      .nullable(),
    failed: counts.openapi({
      description: 'Steps that gave up in the last minute, hour and day, and whose leads stand so',
    }),
    done: counts.openapi({
      description: 'Attempts that ended well in the last minute, hour and day, of the newest 20,000 of all queues',
    }),
    seconds: z.object({ wait: quantiles, run: quantiles }).nullable().openapi({
      description: 'Of the attempts in the last hour: until a worker took them, and from then to their end',
    }),
    limit: z.union([limitSchema, z.literal('unknown')]).nullable(),
  })
  .openapi('QueueState');

const listRoute = createRoute({
  method: 'get',
  path: '/ops/queues',
  operationId: 'listQueues',
  tags: ['operations'],
  summary: 'What waits, what is worked on, who works, what failed',
  ...forOperators,
  request: { query: noQuery },
  responses: {
    200: answers(
      'Task queues, and what Postgres has not handed to Temporal',
      z.object({
        queues: z.array(queueSchema),
        orders: z.array(z.object({ kind: z.string(), status: z.string(), orders: count, ageSeconds: z.number() })),
        onboardings: z.array(z.object({ state: z.string(), onboardings: count })),
      }),
    ),
    ...problemResponses(),
  },
});

/** Tasks a second: beyond it a limit is none. */
const MAX_PER_SECOND = 100_000;

const COMMANDS = ['pause', 'resume', 'rate'] as const;
const SUMMARIES = {
  pause: 'Let a task queue give out no task; those in hand end',
  resume: 'Let it give out as many tasks as it can again',
  rate: 'Let it give out so many tasks a second, at most',
} as const;
const BODIES = {
  pause: z.strictObject({ reason }),
  resume: z.strictObject({ reason }),
  rate: z.strictObject({ reason, perSecond: z.number().positive().max(MAX_PER_SECOND) }),
} as const;

const REFUSED = { action: 'queue.unchanged', reason: 'Temporal did not take it' } as const;
const UNKNOWN = { action: 'queue.unknown', reason: 'Temporal did not answer, and may have taken it' } as const;

const commandRoute = (command: (typeof COMMANDS)[number]) =>
  createRoute({
    method: 'post',
    path: `/ops/queues/{name}/${command}` as const,
    operationId: `${command}Queue`,
    tags: ['operations'],
    summary: SUMMARIES[command],
    description: 'Temporal keeps it, for all workers. Queues of activities only: without the other nothing could end.',
    ...forOperators,
    request: {
      params: z.object({
        name: z
          .enum(LIMITABLE_QUEUES, `must be one of ${LIMITABLE_QUEUES.join(', ')}`)
          .openapi({ param: { name: 'name', in: 'path' } }),
      }),
      query: noQuery,
      body: { required: true, content: { 'application/json': { schema: BODIES[command] } } },
    },
    responses: {
      200: answers('As Temporal has it now', z.object({ queue: z.string(), limit: limitSchema.nullable() })),
      ...problemResponses(409, 413, 415),
    },
  });

/** `GET /ops/queues`, `POST /ops/queues/{name}/{pause,resume,rate}` */
export function queueRoutes(app: OpenAPIHono<HttpEnv>, { operators, trustedProxies, log }: AppDependencies) {
  const { pool, prisma, temporal } = operators;
  const readCaller = callerReader(trustedProxies);
  app.openapi(listRoute, async (c) => c.json(await readQueues({ pool, prisma, client: temporal.client }), 200));

  for (const command of COMMANDS) {
    app.openapi(commandRoute(command), async (c) => {
      refuseIdempotencyKey(c, 'is not taken: twice is no different from once');
      const { name: queue } = c.req.valid('param');
      const caller = readCaller(c);
      const { reason: why, ...rate } = c.req.valid('json');
      const perSecond = 'perSecond' in rate ? rate.perSecond : command === 'pause' ? 0 : null;
      const entry = { id: uuidv7(), action: `queue.${command}`, subject: queue, reason: why, data: rate } as const;
      await prisma.$transaction((tx) => recordOperatorAction(tx, entry, caller)); // first: nothing is done unnoticed
      const change = { auditId: entry.id, keyId: caller.keyId, reason: why };
      try {
        return c.json({ queue, limit: await setLimit(temporal.client, queue, perSecond, change) }, 200);
      } catch (err) {
        const outcome = isUnanswered(err) ? UNKNOWN : REFUSED;
        log.warn({ queue, command, requestId: caller.requestId, err }, outcome.reason);
        const failed = { ...outcome, subject: queue, data: { entry: entry.id } };
        await prisma.$transaction((tx) => recordOperatorAction(tx, failed, caller));
        if (err instanceof LimitUnknown) throw new Problem(409, 'conflict', err.message);
        throw new Problem(503, 'unavailable', `${outcome.reason}. Try again in a moment.`, {
          headers: { 'retry-after': '1' },
        });
      }
    });
  }
}
