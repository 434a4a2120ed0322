import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi';
import { databaseFault } from '../../db/faults.ts';
import type { AppDependencies, HttpEnv } from '../context.ts';
import { Problem, describeProblems } from '../answers/problem.ts';
import { answers } from '../request/validation.ts';

const healthz = createRoute({
  method: 'get',
  path: '/healthz',
  tags: ['operations'],
  summary: 'Whether the process lives',
  responses: { 200: answers('It does', z.object({ status: z.literal('ok') })) },
});

const readyz = createRoute({
  method: 'get',
  path: '/readyz',
  tags: ['operations'],
  summary: 'Whether leads can be taken in',
  description: 'Needs Postgres. Without Temporal leads are taken in all the same, and onboarded once it is back.',
  responses: {
    200: answers('They can', z.object({ status: z.literal('ok'), temporal: z.enum(['reachable', 'unreachable']) })),
    ...describeProblems(500, 503),
  },
});

/** `GET /healthz`, `GET /readyz` */
export function healthRoutes(app: OpenAPIHono<HttpEnv>, { pool, runs }: AppDependencies): void {
  app.openapi(healthz, (c) => c.json({ status: 'ok' } as const, 200));
  app.openapi(readyz, async (c) => {
    const postgres = pool.query(`SELECT 'intake_lead(text, jsonb)'::regprocedure`).then(() => undefined, explain);
    const [temporal, problem] = await Promise.all([runs.isReachable(), postgres]); // no call outlasts the answer
    if (problem) throw new Problem(503, 'unavailable', problem, { headers: { 'retry-after': '1' } });
    return c.json(
      { status: 'ok' as const, temporal: temporal ? ('reachable' as const) : ('unreachable' as const) },
      200,
    );
  });
}

const explain = (err: unknown): string =>
  databaseFault(err) ? 'Postgres does not answer.' : 'The database lacks a migration: run npm run db:deploy.';
