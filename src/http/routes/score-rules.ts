import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi';
import { SCORE_BANDS } from '../../../workflows/contract.ts';
import { organizationId } from '../../db/text.ts';
import { activateRules } from '../../scoring/activate.ts';
import { dryRun } from '../../scoring/dry-run.ts';
import { readRules } from '../../scoring/read-rules.ts';
import { checkRuleSet, ruleSetFields } from '../../scoring/rule-set.ts';
import { needs, organizationOf } from '../guards/authorization.ts';
import { callerReader } from '../request/caller.ts';
import { createWriter, idempotencyHeaders, refuseIdempotencyKey } from '../request/idempotency.ts';
import type { AppDependencies, HttpEnv } from '../context.ts';
import { overShare, Problem, problemResponses } from '../answers/problem.ts';
import { answers, noQuery, ownOrganization } from '../request/validation.ts';
import { rescoreSchema } from './rescores.ts';

/** No page of leads is begun after this: the answer has to be there within the deadline of a request, 3.2 s. */
const DRY_RUN_MS = 2_000;
/** In this process: the others have to answer too. */
const DRY_RUNS_AT_ONCE = 2;
/** Where keys tell the organizations apart. */
const DRY_RUNS_OF_ONE = 1;

const rulesBody = z
  .strictObject({ organizationId: organizationId.optional(), ...ruleSetFields })
  .superRefine(checkRuleSet)
  .openapi('ScoreRules');

const rulesSchema = z
  .object({
    organizationId: z.string(),
    version: z.number().int().openapi({ description: '0: the built-in rules' }),
    inForce: z.boolean(),
    createdBy: z.string().nullable(),
    createdAt: z.iso.datetime().nullable(),
    rescore: z
      .union([rescoreSchema, z.null()])
      .openapi({ description: 'How far the leads are scored by this version' }),
    ...ruleSetFields,
  })
  .openapi('StoredScoreRules');

const readRoute = createRoute({
  method: 'get',
  path: '/api/score-rules',
  operationId: 'getScoreRules',
  tags: ['score rules'],
  summary: 'The rules that scores are calculated by',
  ...needs('rules'),
  request: {
    query: z.strictObject({
      organizationId: ownOrganization,
      version: z
        .string()
        .regex(/^\d{1,9}$/, 'must be a whole number')
        .transform(Number)
        .optional()
        .openapi({ type: 'integer', description: 'By default the one in force; 0: the built-in rules' }),
    }),
  },
  responses: { 200: answers('The rules, as they may be sent back', rulesSchema), ...problemResponses(404) },
});

const count = z.number().int();
const dryRunSchema = z
  .object({
    complete: z.boolean().openapi({ description: 'False when time was up before all leads were looked at' }),
    leads: count.openapi({ description: 'Leads looked at, the newest first: all that have a score, if complete' }),
    up: count,
    down: count,
    same: count,
    overridden: count.openapi({ description: 'Leads whose score a person has set: they stay where they are' }),
    bands: z.array(z.object({ from: z.enum(SCORE_BANDS), to: z.enum(SCORE_BANDS), leads: count })),
    movers: z
      .array(
        z.object({
          leadId: z.uuid(),
          from: count,
          to: count,
          fromBand: z.enum(SCORE_BANDS),
          toBand: z.enum(SCORE_BANDS),
        }),
      )
      .openapi({ description: 'The ten that move most' }),
    rules: z.array(
      z.object({
        rule: z.string(),
        applies: count,
        unknown: count.openapi({ description: 'Leads that lack a field which the rule asks for' }),
        failed: count.openapi({ description: 'Leads for which it could not be calculated' }),
      }),
    ),
  })
  .openapi('DryRun');

const body = { required: true, content: { 'application/json': { schema: rulesBody } } };

const dryRunRoute = createRoute({
  method: 'post',
  path: '/api/score-rules/dry-run',
  operationId: 'dryRunScoreRules',
  tags: ['score rules'],
  summary: 'What rules would do to the scores that are stored',
  description: 'Stores nothing. It compares with the scores in force, and looks at as many leads as 2 s allow.',
  ...needs('rules'),
  request: { query: noQuery, body },
  responses: { 200: answers('What would move', dryRunSchema), ...problemResponses(413, 415) },
});

const activateRoute = createRoute({
  method: 'post',
  path: '/api/score-rules',
  operationId: 'activateScoreRules',
  tags: ['score rules'],
  summary: 'Put rules in force, and score all leads by them',
  description: 'They are the next version. Leads that have a score are scored anew in the background.',
  ...needs('rules'),
  request: { query: noQuery, headers: idempotencyHeaders, body },
  responses: {
    202: answers(
      'In force; the leads follow, and `rescore` says how far they are',
      z.object({ organizationId: z.string(), version: count, rescore: rescoreSchema }),
    ),
    ...problemResponses(409, 413, 415, 422),
  },
});

/** `GET /api/score-rules`, `POST /api/score-rules`, `POST /api/score-rules/dry-run` */
export function scoreRuleRoutes(app: OpenAPIHono<HttpEnv>, deps: AppDependencies) {
  const { fastStart } = deps;
  const readCaller = callerReader(deps.trustedProxies);
  const writer = createWriter(deps);
  const share = deps.keyring === 'off' ? Infinity : DRY_RUNS_OF_ONE;
  /** The organizations of those that are under way. */
  const dryRuns: string[] = [];

  return app
    .openapi(readRoute, async (c) => {
      const { organizationId: named, version } = c.req.valid('query');
      const organization = organizationOf(c, named);
      return c.json(await c.var.tenant.read((db) => readRules(db, organization, version)), 200);
    })
    .openapi(dryRunRoute, async (c) => {
      refuseIdempotencyKey(c, 'is not taken: nothing is stored');
      const { organizationId: named, ...rules } = c.req.valid('json');
      const request = { organizationId: organizationOf(c, named), rules, budgetMs: DRY_RUN_MS };
      if (dryRuns.filter((organization) => organization === request.organizationId).length >= share) {
        throw overShare('Another dry run of your organization is under way: try again in 3 s.', 3);
      }
      if (dryRuns.length >= DRY_RUNS_AT_ONCE) {
        const headers = { 'retry-after': '3' };
        throw new Problem(503, 'unavailable', 'Other dry runs are under way: try again in 3 s.', { headers });
      }
      dryRuns.push(request.organizationId);
      try {
        return c.json(await dryRun(c.var.tenant, request), 200);
      } finally {
        dryRuns.splice(dryRuns.indexOf(request.organizationId), 1);
      }
    })
    .openapi(activateRoute, async (c) => {
      const { organizationId: named, ...rules } = c.req.valid('json');
      const organization = organizationOf(c, named);
      const caller = readCaller(c);
      const answer = await writer.order(c, (tx, orderDelayMs) =>
        activateRules(tx, { organizationId: organization, rules, caller, orderDelayMs }),
      );
      fastStart.leaveToRelays(); // the run of an older rescore may wait to be woken
      return c.json(answer, 202);
    });
}
