import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi';
import type { Context } from 'hono';
import { guardScript } from '../../forms/guard-script.ts';
import { leadFormSchema, toSubmission } from '../../forms/lead-form.ts';
import type { TokenRefusal } from '../../forms/token.ts';
import { networkOf } from '../guards/rate-limit.ts';
import { addressReader, callerReader } from '../request/caller.ts';
import type { AppDependencies, HttpEnv } from '../context.ts';
import { authorizeForm } from '../guards/form-authorization.ts';
import { refuseIdempotencyKey } from '../request/idempotency.ts';
import { parseJson } from '../request/parse-json.ts';
import { describeProblems, Problem } from '../answers/problem.ts';
import { isUrlencoded } from '../request/body.ts';
import { leadTaker } from '../../leads/take-in.ts';
import { readUrlencoded } from '../request/urlencoded.ts';
import { answers, invalid, noQuery } from '../request/validation.ts';

const PATH = '/forms/leads';

const postRoute = (schema: ReturnType<typeof leadFormSchema>) =>
  createRoute({
    method: 'post',
    path: PATH,
    operationId: 'submitForm',
    tags: ['forms'],
    summary: 'Take a lead in from a public web form',
    description:
      'Answers the same whether the lead is new, known or dropped as spam. In a form `attributes[message]` is a member ' +
      'of `attributes`, and a field that is left empty counts as absent.',
    request: {
      query: noQuery,
      body: {
        required: true,
        content: {
          'application/x-www-form-urlencoded': {
            schema,
            encoding: { attributes: { style: 'deepObject', explode: true } },
          },
          'application/json': { schema },
        },
      },
    },
    responses: {
      201: answers('Received', z.object({ status: z.literal('received') })),
      303: { description: 'Received, and on to `returnTo`', headers: z.object({ location: z.url() }) },
      ...describeProblems(400, 403, 409, 413, 415, 429, 500, 503),
    },
  });

const tokenRoute = createRoute({
  method: 'get',
  path: '/forms/token',
  operationId: 'getFormToken',
  tags: ['forms'],
  summary: 'A token for one submission of a form, for scripts that send it as JSON',
  request: { query: noQuery },
  responses: {
    200: answers(
      'To be sent from `usableFrom` on, and once',
      z.object({ token: z.string(), usableFrom: z.iso.datetime(), expiresAt: z.iso.datetime() }),
    ),
    ...describeProblems(400, 429, 500, 503),
  },
});

const guardRoute = createRoute({
  method: 'get',
  path: '/forms/guard.js',
  operationId: 'getFormGuard',
  tags: ['forms'],
  summary: 'A script that puts a token into the forms of the page that includes it',
  request: { query: noQuery },
  responses: {
    200: { description: 'The script', content: { 'text/javascript': { schema: z.string() } } },
    ...describeProblems(400, 429, 500, 503),
  },
});

const REFUSALS: Record<TokenRefusal | 'used', string> = {
  unknown: 'must be one of /forms/token or /forms/guard.js',
  'too-young': 'was issued a moment ago, and no person fills a form as fast: wait some seconds and send it again',
  expired: 'has expired: load the page again',
  used: 'was used for something else: load the page again',
};

/** `POST /forms/leads`, `GET /forms/token`, `GET /forms/guard.js` */
export function formRoutes(app: OpenAPIHono<HttpEnv>, deps: AppDependencies): void {
  const { formTokens, formReturnOrigins, log } = deps;
  const takeIn = leadTaker(deps);
  const readCaller = callerReader(deps.trustedProxies);
  const readAddress = addressReader(deps.trustedProxies);
  const schema = leadFormSchema(formReturnOrigins);

  app.openapi(tokenRoute, async (c) => {
    const { token, usableFrom, expiresAt } = await formTokens.issue();
    return c.json({ token, usableFrom: usableFrom.toISOString(), expiresAt: expiresAt.toISOString() }, 200);
  });
  app.openapi(guardRoute, async (c) => {
    const { token } = await formTokens.issue();
    c.header('cross-origin-resource-policy', 'cross-origin');
    return c.body(guardScript(PATH, token), 200, { 'content-type': 'text/javascript' });
  });

  // Its validation would want the body in both types at once.
  const route = postRoute(schema);
  app.openAPIRegistry.registerPath(route);
  app.openapi({ ...route, request: { query: noQuery }, hide: true }, async (c) => {
    refuseIdempotencyKey(c, 'is not taken: the token of a form is good for one lead');
    const form = await readForm(c, schema);
    const organizationId = await authorizeForm(c, deps.keyring, form, networkOf(readAddress(c)));
    const accepted = () =>
      form.returnTo === undefined ? c.json({ status: 'received' } as const, 201) : c.redirect(form.returnTo, 303);

    if (form.website !== '') {
      log.info({ organizationId, requestId: c.get('requestId'), reason: 'honeypot' }, 'form dropped');
      return accepted();
    }
    const refusal = await formTokens.check(form.token);
    if (refusal) throw refusedToken(refusal);
    const { outcome } = await takeIn({
      organizationId,
      submission: toSubmission(form, organizationId),
      caller: { ...readCaller(c), form: true },
      idempotencyKey: `form:${form.token}`, // what makes a token good for one lead
    });
    if (outcome === 'key_reused') throw refusedToken('used');
    return accepted();
  });
}

async function readForm<Schema extends z.ZodType>(c: Context<HttpEnv>, schema: Schema): Promise<z.output<Schema>> {
  const body = await c.req.text();
  const parsed = schema.safeParse(isUrlencoded(c) ? readUrlencoded(body) : parseJson(body));
  if (parsed.success) return parsed.data;
  throw invalid(parsed.error, 'body');
}

const refusedToken = (refusal: TokenRefusal | 'used') =>
  new Problem(400, 'invalid-request', 'Correct the body: see errors.', {
    errors: [{ path: 'token', message: REFUSALS[refusal] }],
  });
