import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi';
import { ONBOARDING_STATES } from '../../../workflows/contract.ts';
import type { Prisma } from '../../db/generated/client.ts';
import { acceptCommand, COMMANDS } from '../../onboarding/command.ts';
import { onboardingStatus, STEP_STATES } from '../../onboarding/status.ts';
import { needs } from '../guards/authorization.ts';
import { callerReader } from '../request/caller.ts';
import { createWriter, idempotencyHeaders } from '../request/idempotency.ts';
import type { AppDependencies, HttpEnv } from '../context.ts';
import { problemResponses } from '../answers/problem.ts';
import { answers, idParam, noQuery } from '../request/validation.ts';

const statusSchema = z
  .object({
    state: z.enum(ONBOARDING_STATES),
    round: z.number().int().openapi({ description: '1, and one more after each retry' }),
    workflowId: z.string(),
    temporalUrl: z.url(),
    temporal: z.enum(['reachable', 'no-run', 'unreachable']),
    steps: z.array(
      z.object({
        name: z.enum(['notify', 'enrich', 'score']),
        state: z.enum(STEP_STATES),
        attempts: z
          .number()
          .int()
          .nullable()
          .openapi({ description: 'Null where the step ended without an attempt of its own' }),
        lastError: z.object({ type: z.string(), message: z.string() }).nullable(),
        at: z.iso.datetime().nullable(),
      }),
    ),
  })
  .openapi('OnboardingStatus');

const statusRoute = createRoute({
  method: 'get',
  path: '/api/leads/{id}/onboarding',
  operationId: 'getOnboarding',
  tags: ['onboarding'],
  summary: 'Where the onboarding of a lead stands',
  ...needs('leads:read'),
  request: { params: idParam, query: noQuery },
  responses: { 200: answers('State, steps and where to look on', statusSchema), ...problemResponses(404) },
});

type Command = (typeof COMMANDS)[number];

const OPERATION_IDS = {
  'enrich-now': 'enrichNow',
  'skip-enrichment': 'skipEnrichment',
  cancel: 'cancelOnboarding',
  retry: 'retryOnboarding',
};

const SUMMARIES: Record<Command, string> = {
  'enrich-now': 'Enrich without waiting any longer',
  'skip-enrichment': 'Score without enrichment',
  cancel: 'End the onboarding',
  retry: 'Onboard again after a partial, failed or canceled onboarding',
};

const commandRoute = (command: Command) =>
  createRoute({
    method: 'post',
    path: `/api/leads/{id}/onboarding/${command}` as const,
    operationId: OPERATION_IDS[command],
    tags: ['onboarding'],
    summary: SUMMARIES[command],
    ...needs('leads:write'),
    request: { params: idParam, query: noQuery, headers: idempotencyHeaders },
    responses: {
      202: answers('Accepted, and durable', z.object({ command: z.enum(COMMANDS), state: z.enum(ONBOARDING_STATES) })),
      ...problemResponses(404, 409, 410, 422),
    },
  });

/** `GET /api/leads/{id}/onboarding`, `POST /api/leads/{id}/onboarding/{command}` */
export function onboardingRoutes(app: OpenAPIHono<HttpEnv>, deps: AppDependencies) {
  const { runs, intake } = deps;
  const writer = createWriter(deps);
  const readCaller = callerReader(deps.trustedProxies);

  const withStatus = app.openapi(statusRoute, async (c) => {
    return c.json(await onboardingStatus(c.var.tenant, runs, c.req.valid('param').id), 200);
  });
  const withCommand = (command: Command) =>
    withStatus.openapi(commandRoute(command), async (c) => {
      const { id } = c.req.valid('param');
      const request = { caller: readCaller(c), enrichmentDelayMs: intake.enrichmentDelayMs };
      const accept = async (tx: Prisma.TransactionClient, orderDelayMs: number) => {
        const { state, order } = await acceptCommand(tx, id, command, { ...request, orderDelayMs });
        return { order, answer: state };
      };
      const state = await writer.order(c, accept, { leadId: id });
      return c.json({ command, state }, 202);
    });
  COMMANDS.forEach(withCommand);
  return app as unknown as ReturnType<typeof withCommand>; // each is added to the same app
}
