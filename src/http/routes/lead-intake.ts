import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi';
import type { Context } from 'hono';
import type { ApiScope } from '../../api-keys/scopes.ts';
import { EXAMPLE_LEAD } from '../../leads/example-lead.ts';
import { ON_DUPLICATE, type OnDuplicate } from '../../leads/intake-request.ts';
import { leadSchema } from '../../leads/lead.ts';
import { submissionSchema } from '../../leads/submission.ts';
import { checkScope, needs, organizationOf } from '../guards/authorization.ts';
import { callerReader } from '../request/caller.ts';
import { idempotencyHeaders } from '../request/idempotency.ts';
import type { AppDependencies, HttpEnv } from '../context.ts';
import { Problem, problemResponses } from '../answers/problem.ts';
import { leadTaker } from '../../leads/take-in.ts';
import { answers, etagHeader } from '../request/validation.ts';

const duplicateSchema = leadSchema.extend({ duplicate: z.boolean().optional() }).openapi('IntakeAnswer');
const knownSchema = z
  .union([duplicateSchema, z.object({ id: z.uuid(), duplicate: z.literal(true) })])
  .openapi('KnownLead', { description: 'With the scope `leads:read` all of the lead, else its id' });

/** The query of a route that takes leads in. */
export const intakeQuery = z.strictObject({
  onDuplicate: z
    .enum(ON_DUPLICATE)
    .default('keep')
    .openapi({
      description:
        'What is done to a lead that is there already: `keep` leaves it as it is; `update`, which needs the scope ' +
        '`leads:write` as well, changes the fields that the body names, and what changed is on the timeline',
    }),
});

/** @throws Problem when the caller may not change leads */
export function checkMayUpdate(c: Context<HttpEnv>, onDuplicate: OnDuplicate): void {
  if (onDuplicate === 'update') checkScope(c, 'leads:write');
}

const INTAKE_HEADERS = { location: z.string(), ...etagHeader };

const route = createRoute({
  method: 'post',
  path: '/api/leads',
  operationId: 'createLead',
  tags: ['leads'],
  summary: 'Take a lead in',
  ...needs('leads:create'),
  description:
    'Stores the lead and the order to onboard it, then answers; the onboarding itself runs afterwards. ' +
    'When the organization already has a lead with that e-mail, that lead is answered and this submission is kept on its ' +
    'timeline. Where only web forms have spoken of the lead so far, it is corrected first by what this body states. A key without the scope `leads:read` learns the id of that lead, and nothing else.',
  request: {
    query: intakeQuery,
    headers: idempotencyHeaders,
    body: { required: true, content: { 'application/json': { schema: submissionSchema, example: EXAMPLE_LEAD } } },
  },
  responses: {
    201: {
      ...answers('The lead and its onboarding are durable', duplicateSchema),
      headers: z.object(INTAKE_HEADERS),
    },
    200: {
      ...answers('The organization has this lead already', knownSchema),
      headers: z.object(INTAKE_HEADERS).partial(),
    },
    ...problemResponses(409, 410, 413, 415, 422),
  },
});

/** `POST /api/leads` */
export function leadIntakeRoutes(app: OpenAPIHono<HttpEnv>, deps: AppDependencies) {
  const takeIn = leadTaker(deps);
  const readCaller = callerReader(deps.trustedProxies);

  return app.openapi(route, async (c) => {
    const submission = c.req.valid('json');
    const { onDuplicate } = c.req.valid('query');
    checkMayUpdate(c, onDuplicate);
    const result = await takeIn({
      organizationId: organizationOf(c, submission.organizationId),
      submission,
      stated: Object.keys(await c.req.json<object>()),
      onDuplicate,
      caller: readCaller(c),
      idempotencyKey: c.req.valid('header')['idempotency-key'],
    });
    switch (result.outcome) {
      case 'key_reused':
        throw new Problem(422, 'idempotency-key-reused', 'Use a new Idempotency-Key for a new request.');
      case 'gone':
        throw new Problem(
          410,
          'lead-erased',
          'The lead that this request created was erased, and is not created again.',
        );
      case 'created':
      case 'duplicate':
      case 'replayed': {
        const duplicate = result.outcome === 'duplicate' || (result.outcome === 'replayed' && result.duplicate);
        if (duplicate && !mayRead(c)) return c.json({ id: result.lead.id, duplicate: true as const }, 200);
        c.header('etag', result.etag);
        c.header('location', `/api/leads/${result.lead.id}`);
        return duplicate ? c.json({ ...result.lead, duplicate }, 200) : c.json(result.lead, 201);
      }
    }
  });
}

/** Says whether the caller may see more of a lead than that it is there. */
export const mayRead = (c: Context<HttpEnv>): boolean =>
  c.var.key?.scopes.includes('leads:read' satisfies ApiScope) ?? true;
