import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi';
import { ONBOARDING_STATES } from '../../../workflows/contract.ts';
import { readOnboarding } from '../../ops/lead.ts';
import { problemResponses } from '../answers/problem.ts';
import type { AppDependencies, HttpEnv } from '../context.ts';
import { forOperators } from '../guards/authorization.ts';
import { answers, idParam, noQuery } from '../request/validation.ts';
import { attemptSchema } from './timeline.ts';

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
    attempts: z.array(attemptSchema).openapi({ description: 'The newest 200, the oldest first' }),
    enrichment: z
      .object({
        outcome: z.string().nullable(),
        providers: z.array(z.object({ provider: z.string(), answer: z.string(), reason: z.string().nullable() })),
        fields: z.array(z.object({ field: z.string(), source: z.string(), confidence: z.number() })),
      })
      .nullable()
      .openapi({ description: 'Who was asked, and who gave which field' }),
    scores: z
      .array(
        z.object({
          at: z.iso.datetime(),
          score: count,
          band: z.string(),
          cause: z.string(),
          ruleVersion: count,
          lines: z.array(z.object({ rule: z.string(), points: count })),
        }),
      )
      .openapi({ description: 'The newest 50, the oldest first' }),
  })
  .openapi('OperatorOnboarding');

const route = createRoute({
  method: 'get',
  path: '/ops/leads/{id}',
  operationId: 'getOperatorLead',
  tags: ['operations'],
  summary: "How a lead's onboarding went, attempt by attempt: ids and types, nothing of the person",
  ...forOperators,
  request: { params: idParam, query: noQuery },
  responses: { 200: answers('Its steps', onboardingSchema), ...problemResponses(404) },
});

/** `GET /ops/leads/{id}` */
export function operatorLeadRoutes(app: OpenAPIHono<HttpEnv>, { operators, runs }: AppDependencies) {
  return app.openapi(route, async (c) => {
    const onboarding = await readOnboarding({ ...operators, runs }, c.req.valid('param').id.toLowerCase());
    return c.json(onboarding, 200);
  });
}
