import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi';
import { RescoreState } from '../../db/generated/enums.ts';
import { commandRescore, readRescore, RESCORE_COMMANDS, type RescoreCommand } from '../../scoring/rescore.ts';
import { needs } from '../guards/authorization.ts';
import type { AppDependencies, HttpEnv } from '../context.ts';
import { callerReader } from '../request/caller.ts';
import { createWriter, idempotencyHeaders } from '../request/idempotency.ts';
import { problemResponses } from '../answers/problem.ts';
import { answers, idParam, noQuery } from '../request/validation.ts';

const count = z.number().int();

export const rescoreSchema = z
  .object({
    id: z.uuid(),
    organizationId: z.string(),
    version: count.openapi({ description: 'Of the rules' }),
    state: z.enum(RescoreState),
    done: count.openapi({
      description: 'Leads that it has passed; those with a score by these rules stay as they are',
    }),
    total: count.openapi({ description: 'Leads that had a score when it began' }),
    changed: count.openapi({ description: 'Leads whose score, or the lines of it, are others now' }),
    requestedBy: z.string().nullable(),
    startedAt: z.iso.datetime(),
    updatedAt: z.iso.datetime(),
    finishedAt: z.iso.datetime().nullable(),
    workflowId: z.string(),
  })
  .openapi('Rescore');

const readRoute = createRoute({
  method: 'get',
  path: '/api/score-rules/rescores/{id}',
  operationId: 'getRescore',
  tags: ['score rules'],
  summary: 'How far leads are scored by new rules',
  ...needs('rules'),
  request: { params: idParam, query: noQuery },
  responses: { 200: answers('State and progress', rescoreSchema), ...problemResponses(404) },
});

const SUMMARIES: Record<RescoreCommand, string> = {
  pause: 'Stop after the page of leads in hand, until it is resumed',
  resume: 'Go on where it was paused',
  cancel: 'End it: leads that it has not reached keep their scores',
};

const commandRoute = (command: RescoreCommand) =>
  createRoute({
    method: 'post',
    path: `/api/score-rules/rescores/{id}/${command}` as const,
    operationId: `${command}Rescore`,
    tags: ['score rules'],
    summary: SUMMARIES[command],
    ...needs('rules'),
    request: { params: idParam, query: noQuery, headers: idempotencyHeaders },
    responses: { 202: answers('Accepted, and durable', rescoreSchema), ...problemResponses(404, 409, 422) },
  });

/** `GET /api/score-rules/rescores/{id}`, `POST /api/score-rules/rescores/{id}/{command}` */
export function rescoreRoutes(app: OpenAPIHono<HttpEnv>, deps: AppDependencies) {
  const readCaller = callerReader(deps.trustedProxies);
  const writer = createWriter(deps);
  const withProgress = app.openapi(readRoute, async (c) => {
    const { id } = c.req.valid('param');
    return c.json(await c.var.tenant.read((db) => readRescore(db, id)), 200);
  });

  const withCommand = (command: RescoreCommand) =>
    withProgress.openapi(commandRoute(command), async (c) => {
      const { id } = c.req.valid('param');
      const caller = readCaller(c);
      const progress = await writer.order(c, async (tx, orderDelayMs) => {
        const { order, progress } = await commandRescore(tx, id, command, { caller, orderDelayMs });
        return { order, answer: progress };
      });
      return c.json(progress, 202);
    });
  RESCORE_COMMANDS.forEach(withCommand);
  return app as unknown as ReturnType<typeof withCommand>; // each is added to the same app
}
