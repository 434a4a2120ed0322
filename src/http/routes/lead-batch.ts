import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi';
import { type BatchOutcome, MAX_LEADS_OF_BATCH } from '../../leads/intake-batch.ts';
import { EXAMPLE_LEAD } from '../../leads/example-lead.ts';
import { leadSchema } from '../../leads/lead.ts';
import { submissionSchema } from '../../leads/submission.ts';
import { batchTaker } from '../../leads/take-in.ts';
import { organizationId } from '../../db/text.ts';
import { partialProblemSchema, Problem, problemResponses } from '../answers/problem.ts';
import type { AppDependencies, HttpEnv } from '../context.ts';
import { needs, organizationOf } from '../guards/authorization.ts';
import { callerReader } from '../request/caller.ts';
import { idempotencyHeaders } from '../request/idempotency.ts';
import { answers, invalid } from '../request/validation.ts';
import { checkMayUpdate, intakeQuery, mayRead } from './lead-intake.ts';

const itemSchema = submissionSchema.omit({ organizationId: true }).openapi('LeadOfBatch');

const batchSchema = z
  .strictObject({
    organizationId,
    leads: z
      .array(z.custom<z.input<typeof itemSchema>>())
      .min(1, 'must have at least one lead')
      .max(MAX_LEADS_OF_BATCH, `must have at most ${MAX_LEADS_OF_BATCH} leads`)
      .openapi({ type: 'array', items: { anyOf: [{ $ref: '#/components/schemas/LeadOfBatch' }, {}] } }),
  })
  .openapi('LeadBatch');

const idSchema = z.object({ id: z.uuid() });
const resultSchema = z
  .union([
    z.object({ outcome: z.enum(['created', 'duplicate']), lead: z.union([leadSchema, idSchema]) }),
    z.object({ outcome: z.literal('problem'), problem: partialProblemSchema }),
  ])
  .openapi('BatchResult', {
    description:
      'Without the scope `leads:read` only the id of a lead that was there before: of a duplicate, and of all in a repetition',
  });
type BatchResult = z.infer<typeof resultSchema>;

const { organizationId: exampleOrganization, ...exampleLead } = EXAMPLE_LEAD;

const route = createRoute({
  method: 'post',
  path: '/api/leads/batch',
  operationId: 'createLeads',
  tags: ['leads'],
  summary: 'Take many leads in',
  ...needs('leads:create'),
  description:
    `Up to ${MAX_LEADS_OF_BATCH} leads, each as for \`POST /api/leads\`, with a result for each in the same place. One ` +
    'that is not valid becomes a problem and holds up no other; the others are stored together. Of two with the same ' +
    'e-mail the second is a duplicate of the first. A batch counts as so many requests as it has leads. A repetition ' +
    'with the same `Idempotency-Key` is answered with the same outcomes, and with the leads as they are then; one that ' +
    'was erased since is a problem.',
  request: {
    query: intakeQuery,
    headers: idempotencyHeaders,
    body: {
      required: true,
      content: {
        'application/json': {
          schema: batchSchema,
          example: { organizationId: exampleOrganization, leads: [exampleLead] },
        },
      },
    },
  },
  responses: {
    200: answers('What became of each lead, in their order', z.object({ results: z.array(resultSchema) })),
    ...problemResponses(409, 413, 415, 422),
  },
});

/** `POST /api/leads/batch` */
export function leadBatchRoutes(app: OpenAPIHono<HttpEnv>, deps: AppDependencies) {
  app.openAPIRegistry.register('LeadOfBatch', itemSchema);
  const takeIn = batchTaker(deps);
  const readCaller = callerReader(deps.trustedProxies);

  return app.openapi(route, async (c) => {
    const { organizationId: named, leads } = c.req.valid('json');
    const { onDuplicate } = c.req.valid('query');
    checkMayUpdate(c, onDuplicate);
    const organization = organizationOf(c, named);
    c.var.countMore(leads.length - 1);
    const read = leads.map((sent) => ({ sent: sent as unknown, read: itemSchema.safeParse(sent) }));
    const valid = read.flatMap(({ sent, read: { data } }) =>
      data ? [{ submission: { organizationId: organization, ...data }, stated: Object.keys(sent as object) }] : [],
    );
    const taken = await takeIn({
      organizationId: organization,
      submissions: valid,
      onDuplicate,
      caller: readCaller(c),
      idempotencyKey: c.req.valid('header')['idempotency-key'],
      sent: read.map(({ sent, read: { success } }) => (success ? sent : null)),
    });
    if (taken === 'key_reused') {
      throw new Problem(422, 'idempotency-key-reused', 'Use a new Idempotency-Key for a new request.');
    }
    const outcomes = taken.outcomes.values();
    const results = read.map(({ read: { error } }): BatchResult => {
      if (error) return toProblem(invalid(error, 'lead'));
      const { value } = outcomes.next();
      if (!value) throw new Error('a lead of a batch has no outcome');
      return toResult(value, (value.outcome === 'created' && !taken.replayed) || mayRead(c));
    });
    return c.json({ results }, 200);
  });
}

function toResult(taken: BatchOutcome, whole: boolean): BatchResult {
  if (taken.outcome === 'gone') {
    return toProblem(new Problem(410, 'lead-erased', 'This lead was erased, and is not created again.'));
  }
  return { outcome: taken.outcome, lead: whole ? taken.lead : { id: taken.lead.id } };
}

const toProblem = (problem: Problem): BatchResult => ({ outcome: 'problem', problem: problem.describe() });
