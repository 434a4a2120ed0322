import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi';
import { isGrpcServiceError, ServiceError } from '@temporalio/client';
import { recordOperatorAction } from '../../audit/operator-action.ts';
import { compareRuns, repairRuns } from '../../ops/consistency.ts';
import { Problem, problemResponses } from '../answers/problem.ts';
import type { AppDependencies, HttpEnv } from '../context.ts';
import { forOperators } from '../guards/authorization.ts';
import { callerReader } from '../request/caller.ts';
import { refuseIdempotencyKey } from '../request/idempotency.ts';
import { answers, noQuery } from '../request/validation.ts';
import { reason } from './ops-retries.ts';

const count = z.number().int();

/** It may hold a place in a list of Temporal's. */
const MAX_CURSOR = 4_000;

const requestSchema = z
  .strictObject({
    repair: z.boolean().default(false).openapi({ description: 'Have the relays order again what has no run' }),
    reason: reason.optional(),
    cursor: z.string().max(MAX_CURSOR).optional().openapi({ description: '`nextCursor` of the look before' }),
  })
  .refine(({ repair, reason: why }) => !repair || why !== undefined, {
    path: ['reason'],
    message: 'is required when repair is true',
  })
  .openapi('ConsistencyRequest');

const lookSchema = z
  .object({
    checked: count,
    differences: z.array(
      z.object({
        leadId: z.string(),
        organizationId: z.string().nullable(),
        run: z.string().openapi({ example: 'onboarding' }),
        postgres: z.string().openapi({ description: 'The state of the onboarding, or `MISSING`' }),
        temporal: z.string().openapi({ description: 'The status of the run, or `MISSING`' }),
      }),
    ),
    repaired: count.openapi({ description: 'Left to the relays, which look within half a minute' }),
    nextCursor: z.string().nullable(),
  })
  .openapi('Consistency');

const route = createRoute({
  method: 'post',
  path: '/ops/consistency',
  operationId: 'checkConsistency',
  tags: ['operations'],
  summary: 'Compare Postgres with Temporal, 500 runs at a time',
  description:
    'First each run that Postgres waits for with what Temporal has of it, then each onboarding that runs in Temporal ' +
    'with what Postgres knows of its lead. Relays do the first by themselves, and less often the longer a run takes. ' +
    'Runs of leads that Postgres is done with are told, and left to people.',
  ...forOperators,
  request: { query: noQuery, body: { required: true, content: { 'application/json': { schema: requestSchema } } } },
  responses: { 200: answers('What was found', lookSchema), ...problemResponses(413, 415) },
});

/** `POST /ops/consistency` */
export function consistencyRoutes(app: OpenAPIHono<HttpEnv>, { operators, trustedProxies }: AppDependencies) {
  const { pool, prisma, temporal } = operators;
  const readCaller = callerReader(trustedProxies);
  return app.openapi(route, async (c) => {
    refuseIdempotencyKey(c, 'is not taken: twice is no different from once');
    const { repair, reason: why = '', cursor: after } = c.req.valid('json');
    const look = await compareRuns({ pool, client: temporal.client }, after).catch((err: unknown) => {
      if (!(err instanceof ServiceError) && !isGrpcServiceError(err)) throw err;
      throw new Problem(503, 'unavailable', 'Temporal does not say. Try again in a moment.', {
        headers: { 'retry-after': '1' },
      });
    });
    if (!repair || look.differences.length === 0) return c.json({ ...look, repaired: 0 }, 200);
    const data = { differences: look.differences.length };
    const entry = { action: 'consistency.repaired', subject: 'runs', reason: why, data } as const;
    await prisma.$transaction((tx) => recordOperatorAction(tx, entry, readCaller(c))); // first: nothing is done unnoticed
    return c.json({ ...look, repaired: await repairRuns(pool, look.differences) }, 200);
  });
}
