import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi';
import { etag } from 'hono/etag';
import { LEAD_SOURCES, ONBOARDING_STATES, SCORE_BANDS } from '../../../workflows/contract.ts';
import type { Prisma } from '../../db/generated/client.ts';
import { LEAD_STATUSES, leadSchema } from '../../leads/lead.ts';
import { listChangedLeads } from '../../leads/listing.ts';
import { getLead, listLeads } from '../../leads/read.ts';
import { leadChangeSchema } from '../../leads/submission.ts';
import { text, userId } from '../../db/text.ts';
import { updateLead } from '../../leads/update.ts';
import { needs, organizationOf } from '../guards/authorization.ts';
import { callerReader } from '../request/caller.ts';
import { createWriter, idempotencyHeaders } from '../request/idempotency.ts';
import type { AppDependencies, HttpEnv } from '../context.ts';
import { problemResponses } from '../answers/problem.ts';
import { isMergePatch, MERGE_PATCH } from '../request/body.ts';
import { answers, cursor, etagHeader, idParam, limit, noQuery, ownOrganization } from '../request/validation.ts';

/** Leads of a page. */
export const MAX_LEADS_OF_PAGE = 100;

const fieldFilters = z.object({
  status: z.enum(LEAD_STATUSES).optional(),
  source: z.enum(LEAD_SOURCES).optional(),
  assignedTo: userId.optional(),
  scoreBand: z.enum(SCORE_BANDS).optional(),
  onboardingState: z.enum(ONBOARDING_STATES).optional(),
  archived: z.enum(['true', 'false']).optional().openapi({
    description: 'Leads that were put aside, in place of the others; with `email` either is found unless this is named',
  }),
  email: text(254).optional().openapi({ description: 'The whole address, in any case' }),
  q: text(200).optional().openapi({
    description:
      'Part of a name, e-mail, company or phone; of fewer than three characters: what a word of them begins with',
  }),
});

const listQuery = z
  .strictObject({
    organizationId: ownOrganization,
    ...fieldFilters.shape,
    updatedSince: z.iso
      .datetime('must be a time in UTC, as in 2026-11-24T12:00:00Z')
      .regex(/^(?!0000)/, 'must be a time of the year 1 or later')
      .optional()
      .openapi({ description: 'Leads whose `updatedAt` is this or later; with `sort=updatedAt`' }),
    sort: z.enum(['createdAt', 'updatedAt']).default('createdAt').openapi({
      description: '`createdAt`: the newest first; `updatedAt`: the one whose last change is the oldest first',
    }),
    limit: limit(MAX_LEADS_OF_PAGE, 50),
    cursor,
  })
  .superRefine((query, context) => {
    const refuse = (name: string, message: string) => context.addIssue({ code: 'custom', path: [name], message });
    if (query.sort === 'updatedAt') {
      for (const name of Object.keys(fieldFilters.shape) as (keyof typeof query)[]) {
        if (query[name] !== undefined) refuse(name, 'must be left out with sort=updatedAt, which lists all leads');
      }
      return;
    }
    if (query.updatedSince !== undefined) refuse('updatedSince', 'must come with sort=updatedAt');
    if (query.email !== undefined && query.q !== undefined) refuse('q', 'must be left out with email');
  });

const listRoute = createRoute({
  method: 'get',
  path: '/api/leads',
  operationId: 'listLeads',
  tags: ['leads'],
  summary: "List an organization's leads, the newest first or by their changes",
  ...needs('leads:read'),
  description:
    'To keep a copy in step, read `sort=updatedAt` to its end, then again with the last `updatedAt` as `updatedSince`, ' +
    'as often as you like. A lead that changes while you read comes once more, further on; no change is passed over, ' +
    'whatever is written meanwhile. Leads that are put aside are among them; an erased lead is in no list.',
  request: { query: listQuery },
  responses: {
    200: answers('A page', z.object({ items: z.array(leadSchema), nextCursor: z.string().nullable() })),
    ...problemResponses(),
  },
});

const getRoute = createRoute({
  method: 'get',
  path: '/api/leads/{id}',
  operationId: 'getLead',
  tags: ['leads'],
  summary: 'Read a lead',
  ...needs('leads:read'),
  request: {
    params: idParam,
    query: noQuery,
    headers: z.object({ 'if-none-match': z.string().optional().openapi({ description: 'ETags that the caller has' }) }),
  },
  responses: {
    200: { ...answers('The lead', leadSchema), headers: z.object(etagHeader) },
    304: { description: 'It is what `If-None-Match` names', headers: z.object(etagHeader) },
    ...problemResponses(404),
  },
});

const ETAG = String.raw`(?:W/)?"[\x21\x23-\x7e]*"`;
const ifMatch = z
  .string()
  .regex(new RegExp(`^(\\*|${ETAG}( *, *${ETAG})*)$`), 'must be the ETag of an answer, with its quotes, or *')
  .openapi({ description: 'The ETag of the lead that the change is meant for' });

const patchRoute = createRoute({
  method: 'patch',
  path: '/api/leads/{id}',
  operationId: 'updateLead',
  tags: ['leads'],
  summary: 'Change a lead',
  ...needs('leads:write'),
  description:
    'What the body leaves out stays as it is. As `application/json` it puts `attributes` in the place of those that there ' +
    'are; as `application/merge-patch+json` (RFC 7396) it merges them, and `null` takes one away. A new assignee is notified; a new priority orders the steps of the ' +
    'onboarding that are still to come. With `If-Match` the change is made only if no other caller has changed the ' +
    'lead since it had that ETag; what the onboarding adds meanwhile, such as the score, does not count.',
  request: {
    params: idParam,
    query: noQuery,
    headers: idempotencyHeaders.extend({ 'if-match': ifMatch.optional() }),
    body: {
      required: true,
      content: { 'application/json': { schema: leadChangeSchema }, [MERGE_PATCH]: { schema: leadChangeSchema } },
    },
  },
  responses: {
    200: { ...answers('The lead as it is now', leadSchema), headers: z.object(etagHeader) },
    ...problemResponses(404, 409, 410, 412, 413, 415, 422),
  },
});

/** `GET /api/leads`, `GET /api/leads/{id}`, `PATCH /api/leads/{id}` */
export function leadRoutes(app: OpenAPIHono<HttpEnv>, deps: AppDependencies) {
  const { fastStart, trustedProxies } = deps;
  const readCaller = callerReader(trustedProxies);
  const writer = createWriter(deps);
  app.use(getRoute.getRoutingPath(), etag()); // answers If-None-Match
  return app
    .openapi(listRoute, async (c) => {
      const { sort, updatedSince, archived, ...query } = c.req.valid('query');
      const organizationId = organizationOf(c, query.organizationId);
      const filter = { ...query, organizationId, archived: archived === undefined ? undefined : archived === 'true' };
      const since = updatedSince === undefined ? undefined : new Date(updatedSince);
      const list = (db: Prisma.TransactionClient) =>
        sort === 'updatedAt' ? listChangedLeads(db, { ...filter, since }) : listLeads(db, filter);
      return c.json(await c.var.tenant.read(list), 200);
    })
    .openapi(getRoute, async (c) => {
      const { id } = c.req.valid('param');
      const tagged = await c.var.tenant.read((db) => getLead(db, id));
      c.header('etag', tagged.etag);
      return c.json(tagged.lead, 200);
    })
    .openapi(patchRoute, async (c) => {
      const { id } = c.req.valid('param');
      const change = c.req.valid('json');
      const caller = readCaller(c);
      const ifMatch = c.req.valid('header')['if-match'];
      const options = { ifMatch, merge: isMergePatch(c) };
      const work = (tx: Prisma.TransactionClient) => updateLead(tx, id, change, caller, options);
      const tagged = await writer.write(c, work, { leadId: id });
      if (change.assignedTo || change.priority) fastStart.leaveToRelays();
      c.header('etag', tagged.etag);
      return c.json(tagged.lead, 200);
    });
}
