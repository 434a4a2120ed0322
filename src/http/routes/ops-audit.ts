import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi';
import { operatorEntrySchema, readOperatorActions } from '../../audit/operator-entry.ts';
import { answerLines } from '../answers/lines.ts';
import { problemResponses } from '../answers/problem.ts';
import type { AppDependencies, HttpEnv } from '../context.ts';
import { forOperators } from '../guards/authorization.ts';
import { instant } from '../request/validation.ts';

const route = createRoute({
  method: 'get',
  path: '/ops/audit',
  operationId: 'listOperatorActions',
  tags: ['operations'],
  summary: 'What operators did, with who and why, the oldest first',
  description: 'One JSON value a line, https://jsonlines.org. What callers did is in the audit of their organization.',
  ...forOperators,
  request: { query: z.strictObject({ from: instant.optional(), until: instant.optional() }) },
  responses: {
    200: { description: 'Lines', content: { 'application/x-ndjson': { schema: operatorEntrySchema } } },
    ...problemResponses(),
  },
});

/** `GET /ops/audit` */
export function operatorActionRoutes(app: OpenAPIHono<HttpEnv>, { operators, log }: AppDependencies) {
  return app.openapi(route, async (c) => {
    const entries = readOperatorActions(operators.prisma, c.req.valid('query'));
    return (await answerLines(c, entries, log)) as never; // the library knows no type for what is streamed
  });
}
