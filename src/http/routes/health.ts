import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi';
import { LRUCache } from 'lru-cache';
import type { Pool } from 'pg';
import { databaseFault } from '../../db/faults.ts';
import { hasNeededSchema } from '../../db/schema.ts';
import type { AppDependencies, HttpEnv } from '../context.ts';
import { Problem, describeProblems } from '../answers/problem.ts';
import { answers } from '../request/validation.ts';

const healthz = createRoute({
  method: 'get',
  path: '/healthz',
  operationId: 'getHealth',
  tags: ['operations'],
  summary: 'Whether the process lives',
  responses: { 200: answers('It does', z.object({ status: z.literal('ok') })) },
});

const readyz = createRoute({
  method: 'get',
  path: '/readyz',
  operationId: 'getReadiness',
  tags: ['operations'],
  summary: 'Whether leads can be taken in',
  description: 'Needs Postgres. Without Temporal leads are taken in all the same, and onboarded once it is back.',
  responses: {
    200: answers('They can', z.object({ status: z.literal('ok'), temporal: z.enum(['reachable', 'unreachable']) })),
    ...describeProblems(500, 503),
  },
});

/** What was found holds for this long: probes cost no more than one look a second, however many they are. */
const LOOK_EVERY_MS = 1_000;

/** `GET /healthz`, `GET /readyz` */
export function healthRoutes(app: OpenAPIHono<HttpEnv>, { healthPool, runs }: AppDependencies): void {
  const looks = new LRUCache<'now', { problem: string | undefined; temporal: boolean }>({
    max: 1,
    ttl: LOOK_EVERY_MS,
    fetchMethod: async () => {
      const [temporal, problem] = await Promise.all([runs.isReachable(), problemOf(healthPool)]);
      return { problem, temporal };
    },
  });
  app.openapi(healthz, (c) => c.json({ status: 'ok' } as const, 200));
  app.openapi(readyz, async (c) => {
    const { problem, temporal } = await looks.forceFetch('now'); // no call outlasts the answer
    if (problem) throw new Problem(503, 'unavailable', problem, { headers: { 'retry-after': '1' } });
    return c.json(
      { status: 'ok' as const, temporal: temporal ? ('reachable' as const) : ('unreachable' as const) },
      200,
    );
  });
}

async function problemOf(pool: Pool): Promise<string | undefined> {
  try {
    return (await hasNeededSchema(pool)) ? undefined : 'The database lacks a migration: run npm run db:deploy.';
  } catch (err) {
    if (databaseFault(err)) return 'Postgres does not answer.';
    throw err;
  }
}
