import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi';
import { ONBOARDING_STATES } from '../../../workflows/contract.ts';
import { readOnboarding } from '../../ops/lead.ts';
import { problemResponses } from '../answers/problem.ts';
import type { AppDependencies, HttpEnv } from '../context.ts';
import { forOperators } from '../guards/authorization.ts';
import { answers, idParam, noQuery } from '../request/validation.ts';

const count = z.number().int();

const onboardingSchema = z
  .object({
    leadId: z.uuid(),
    organizationId: z.string(),
    state: z.enum(ONBOARDING_STATES),
    round: count,
    changedAt: z.iso.datetime(),
    workflowId: z.string(),
    temporalUrl: z.string(),
    temporal: z.enum(['reachable', 'unreachable', 'no-run']),
    pending: z.array(
      z.object({
        activity: z.string(),
        attempt: count,
        running: z.boolean(),
        lastError: z.string().nullable().openapi({ description: 'Its type' }),
      }),
    ),
    entries: z
      .array(
        z.object({
          type: z.string().openapi({ example: 'enrichment.partial' }),
          step: z.string().openapi({ example: '1/enrichment', description: 'Round and step' }),
          at: z.iso.datetime(),
          attempt: count.nullable(),
          reason: z.string().nullable(),
        }),
      )
      .openapi({ description: 'Of steps, the oldest first; the newest 500' }),
  })
  .openapi('OperatorOnboarding');

const route = createRoute({
  method: 'get',
  path: '/ops/leads/{id}',
  operationId: 'getOperatorLead',
  tags: ['operations'],
  summary: "How a lead's onboarding went: ids and types, nothing of the person",
  ...forOperators,
  request: { params: idParam, query: noQuery },
  responses: { 200: answers('Its steps', onboardingSchema), ...problemResponses(404) },
});

/** `GET /ops/leads/{id}` */
export function operatorLeadRoutes(app: OpenAPIHono<HttpEnv>, { operators, runs }: AppDependencies) {
  return app.openapi(route, async (c) => {
    const onboarding = await readOnboarding(operators.pool, runs, c.req.valid('param').id.toLowerCase());
    return c.json(onboarding, 200);
  });
}
