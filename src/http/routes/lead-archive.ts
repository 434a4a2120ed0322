import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi';
import type { Context } from 'hono';
import { archiveLead } from '../../leads/archive.ts';
import { leadSchema } from '../../leads/lead.ts';
import { problemResponses } from '../answers/problem.ts';
import type { AppDependencies, HttpEnv } from '../context.ts';
import { needs } from '../guards/authorization.ts';
import { callerReader } from '../request/caller.ts';
import { createWriter, idempotencyHeaders } from '../request/idempotency.ts';
import { answers, etagHeader, idParam, noQuery } from '../request/validation.ts';

const request = { params: idParam, query: noQuery, headers: idempotencyHeaders };
const responses = {
  200: { ...answers('The lead as it is now', leadSchema), headers: z.object(etagHeader) },
  ...problemResponses(404, 409, 410, 422),
};

const archiveRoute = createRoute({
  method: 'post',
  path: '/api/leads/{id}/archive',
  operationId: 'archiveLead',
  tags: ['leads'],
  summary: 'Put a lead aside',
  ...needs('leads:write'),
  description:
    'Nothing of it goes, and its onboarding goes on; lists and searches leave it out unless they ask for `archived=true`. ' +
    'When the same person is handed in again, by a form too, the lead comes back by itself. Once more changes nothing.',
  request,
  responses,
});

const unarchiveRoute = createRoute({
  method: 'post',
  path: '/api/leads/{id}/unarchive',
  operationId: 'unarchiveLead',
  tags: ['leads'],
  summary: 'Bring a lead back that was put aside',
  ...needs('leads:write'),
  description: 'Once more changes nothing.',
  request,
  responses,
});

/** `POST /api/leads/{id}/archive`, `POST /api/leads/{id}/unarchive` */
export function leadArchiveRoutes(app: OpenAPIHono<HttpEnv>, deps: AppDependencies) {
  const readCaller = callerReader(deps.trustedProxies);
  const writer = createWriter(deps);
  const put = async (c: Context<HttpEnv>, id: string, archived: boolean) => {
    const caller = readCaller(c);
    const { lead, etag } = await writer.write(c, (tx) => archiveLead(tx, id, archived, caller), { leadId: id });
    c.header('etag', etag);
    return c.json(lead, 200);
  };

  return app
    .openapi(archiveRoute, (c) => put(c, c.req.valid('param').id, true))
    .openapi(unarchiveRoute, (c) => put(c, c.req.valid('param').id, false));
}
