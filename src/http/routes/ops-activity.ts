import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi';
import { ONBOARDING_STATES } from '../../../workflows/contract.ts';
import { readActivity, STAGES } from '../../ops/activity.ts';
import { problemResponses } from '../answers/problem.ts';
import type { AppDependencies, HttpEnv } from '../context.ts';
import { forOperators } from '../guards/authorization.ts';
import { answers } from '../request/validation.ts';

const MAX_MINUTES = 60;

const count = z.number().int();

const activitySchema = z
  .object({
    leads: z
      .array(
        z.object({
          leadId: z.uuid(),
          organizationId: z.string(),
          priority: z.string(),
          state: z.enum(ONBOARDING_STATES),
          round: count,
          stage: z.enum(STAGES).openapi({ description: 'The newest step of its round' }),
          since: z.iso.datetime(),
        }),
      )
      .openapi({
        description:
          'The newest 200, up to 100 older ones that are under way, and those of the 100 steps that ended last',
      }),
    minutes: z
      .array(
        z.object({
          at: z.iso.datetime(),
          created: count,
          scored: count,
          failed: count.openapi({ description: 'Steps that gave up, and whose leads stand so' }),
          steps: z.array(z.object({ step: z.string(), attempts: count, p50: z.number(), p95: z.number() })).openapi({
            description: 'Attempts that ended well, and how many seconds half and 95 % of them took at most',
          }),
        }),
      )
      .openapi({ description: 'The oldest first; the last one is under way' }),
  })
  .openapi('Activity');

const route = createRoute({
  method: 'get',
  path: '/ops/activity',
  operationId: 'getActivity',
  tags: ['operations'],
  summary: 'What happens now: where the newest leads are, and what the last minutes saw',
  ...forOperators,
  request: {
    query: z.strictObject({
      minutes: z.coerce
        .number()
        .int()
        .min(1)
        .max(MAX_MINUTES)
        .default(MAX_MINUTES)
        .openapi({ description: 'How many, the present one with them' }),
    }),
  },
  responses: { 200: answers('Ids, counts and times', activitySchema), ...problemResponses() },
});

/** `GET /ops/activity` */
export function activityRoutes(app: OpenAPIHono<HttpEnv>, { operators }: AppDependencies) {
  return app.openapi(route, async (c) => c.json(await readActivity(operators.pool, c.req.valid('query').minutes), 200));
}
