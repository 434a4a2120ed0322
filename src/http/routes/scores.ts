import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi';
import { SCORE_BANDS } from '../../../workflows/contract.ts';
import { ScoreCause } from '../../db/generated/enums.ts';
import type { Prisma } from '../../db/generated/client.ts';
import { LOCALES } from '../../leads/lead.ts';
import { text } from '../../db/text.ts';
import { explainScore } from '../../scoring/explain.ts';
import { removeOverride, setOverride } from '../../scoring/override.ts';
import { createRuleBook } from '../../scoring/rule-book.ts';
import { needs } from '../guards/authorization.ts';
import { callerReader } from '../request/caller.ts';
import { createWriter, idempotencyHeaders } from '../request/idempotency.ts';
import type { AppDependencies, HttpEnv } from '../context.ts';
import { problemResponses } from '../answers/problem.ts';
import { answers, idParam, noQuery } from '../request/validation.ts';

const entry = {
  score: z.number().int(),
  band: z.enum(SCORE_BANDS),
  ruleVersion: z.number().int().openapi({ description: '0: the built-in rules' }),
  cause: z.enum(ScoreCause),
  at: z.iso.datetime(),
};

const explanationSchema = z
  .object({
    leadId: z.uuid(),
    score: z.number().int().nullable().openapi({ description: 'The score in force' }),
    band: z.enum(SCORE_BANDS).nullable(),
    text: z.string().openapi({ description: 'The score in words, one sentence to a line' }),
    calculated: z
      .object({
        ...entry,
        lines: z
          .array(z.object({ rule: z.string(), points: z.number().int(), reason: z.string() }))
          .openapi({ description: 'They sum to the calculated score' }),
        failedRules: z
          .array(z.string())
          .openapi({ description: 'Rules that could not be calculated for this lead, and did not count' }),
      })
      .nullable(),
    override: z
      .object({ score: z.number().int(), reason: z.string(), by: z.string().nullable(), at: z.iso.datetime() })
      .nullable()
      .openapi({ description: 'The score that a person has set in place of the calculated one' }),
    history: z.array(z.object(entry)).openapi({ description: 'The last 50 that were calculated, the newest first' }),
  })
  .openapi('ScoreExplanation');

const explainRoute = createRoute({
  method: 'get',
  path: '/api/leads/{id}/score',
  operationId: 'getScore',
  tags: ['scores'],
  summary: 'Why a lead has its score',
  ...needs('leads:read'),
  request: {
    params: idParam,
    query: z.strictObject({
      locale: z.enum(LOCALES).optional().openapi({ description: "Of the words; by default the lead's own" }),
    }),
  },
  responses: { 200: answers('The score, in words and in figures', explanationSchema), ...problemResponses(404) },
});

const overrideSchema = z
  .strictObject({
    score: z.number().int().min(0, 'must be from 0 to 100').max(100, 'must be from 0 to 100'),
    reason: text(500).openapi({ description: 'Shown with the score', example: 'Met the director in person' }),
  })
  .openapi('ScoreOverride');

const overrideRoute = createRoute({
  method: 'put',
  path: '/api/leads/{id}/score/override',
  operationId: 'overrideScore',
  tags: ['scores'],
  summary: "Put a person's score in place of the calculated one",
  description: 'It stays until it is taken away; what is calculated meanwhile goes into the history only.',
  ...needs('leads:write'),
  request: {
    params: idParam,
    query: noQuery,
    headers: idempotencyHeaders,
    body: { required: true, content: { 'application/json': { schema: overrideSchema } } },
  },
  responses: {
    200: answers('The score as it is now', explanationSchema),
    ...problemResponses(404, 409, 410, 413, 415, 422),
  },
});

const removeRoute = createRoute({
  method: 'delete',
  path: '/api/leads/{id}/score/override',
  operationId: 'removeScoreOverride',
  tags: ['scores'],
  summary: 'Let the calculated score count again',
  ...needs('leads:write'),
  request: { params: idParam, query: noQuery, headers: idempotencyHeaders },
  responses: { 204: { description: 'No score of a person is in force' }, ...problemResponses(404, 409, 410, 422) },
});

/** `GET /api/leads/{id}/score`, `PUT` and `DELETE /api/leads/{id}/score/override` */
export function scoreRoutes(app: OpenAPIHono<HttpEnv>, deps: AppDependencies) {
  const readCaller = callerReader(deps.trustedProxies);
  const writer = createWriter(deps);
  const ruleBook = createRuleBook();

  return app
    .openapi(explainRoute, async (c) => {
      const { id } = c.req.valid('param');
      const { locale } = c.req.valid('query');
      return c.json(await c.var.tenant.read((db) => explainScore(db, id, locale)), 200);
    })
    .openapi(overrideRoute, async (c) => {
      const { id } = c.req.valid('param');
      const override = c.req.valid('json');
      const context = { caller: readCaller(c), ruleBook };
      const putInForce = async (tx: Prisma.TransactionClient) => {
        await setOverride(tx, id, override, context);
        return explainScore(tx, id);
      };
      const explanation = await writer.write(c, putInForce, { leadId: id });
      return c.json(explanation, 200);
    })
    .openapi(removeRoute, async (c) => {
      const { id } = c.req.valid('param');
      const context = { caller: readCaller(c), ruleBook };
      const remove = (tx: Prisma.TransactionClient) => removeOverride(tx, id, context).then(() => null);
      await writer.write(c, remove, { leadId: id });
      return c.body(null, 204);
    });
}
