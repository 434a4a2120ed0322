import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi';
import { failureFilterFields } from '../../failures/filter.ts';
import { failureGroupSchema, groupFailures } from '../../failures/groups.ts';
import { problemResponses } from '../answers/problem.ts';
import type { AppDependencies, HttpEnv } from '../context.ts';
import { forOperators } from '../guards/authorization.ts';
import { answers } from '../request/validation.ts';

const route = createRoute({
  method: 'get',
  path: '/ops/failures',
  operationId: 'listFailures',
  tags: ['operations'],
  summary: 'What onboardings failed of: FAILED and PARTIAL ones by step, error and organization',
  description:
    'Those that stand so now: one that is retried is no longer among them. One that failed at two steps is in two ' +
    'groups. The largest groups come first.',
  ...forOperators,
  request: { query: z.strictObject(failureFilterFields) },
  responses: {
    200: answers(
      'Groups',
      z.object({
        items: z.array(failureGroupSchema),
        complete: z.boolean().openapi({ description: 'False when there are more groups: narrow the filter' }),
      }),
    ),
    ...problemResponses(),
  },
});

/** `GET /ops/failures` */
export function failureRoutes(app: OpenAPIHono<HttpEnv>, { operators }: AppDependencies) {
  return app.openapi(route, async (c) => c.json(await groupFailures(operators.pool, c.req.valid('query')), 200));
}
