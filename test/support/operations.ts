import { randomUUID } from 'node:crypto';
import { recordAudit } from '../../src/audit/record.ts';
import { BUILT_IN_RULES } from '../../src/scoring/built-in.ts';
import { type Answer, newLead } from './api.ts';
import type { TestDatabase } from './database.ts';
import { expectDocumented, type OpenApiDocument } from './documented.ts';
import { type KeyedApi, makeKey } from './keyed-api.ts';
import { takeIn } from './onboarding.ts';
import { giveScore } from './scores.ts';

/** How an operation is called, and what of an organization's it can reach. */
export interface Operation {
  /** Anybody may call it. */
  open?: true;
  /** Any key may call it, whatever its scopes. */
  anyKey?: true;
  /** Only operators may: see operators.test.ts. */
  operator?: true;
  /** Whose id is in its path. */
  id?: 'lead' | 'notification' | 'key' | 'rescore' | 'webhook';
  /** It answers with rows of the organization. */
  list?: true;
  query?: string;
  /** What is sent by, or for, an organization. */
  body?: (organizationId: string) => object;
}

const scoreRules = (organizationId: string) => ({
  organizationId,
  rules: [{ rule: 'all', when: 'true', points: 10, reason: { 'pt-BR': 'Todos', en: 'All' } }],
});

/** Every operation of the OpenAPI document. One that is missing here fails the test. */
export const OPERATIONS: Record<string, Operation> = {
  'GET /api/leads': { list: true },
  'POST /api/leads': { body: (organizationId) => newLead({ organizationId }) },
  'POST /api/leads/batch': { body: (organizationId) => ({ organizationId, leads: [{ name: 'Ana' }, {}] }) },
  'GET /api/leads/{id}': { id: 'lead' },
  'PATCH /api/leads/{id}': { id: 'lead', body: () => ({ name: 'Renamed' }) },
  'DELETE /api/leads/{id}': { id: 'lead' },
  'POST /api/leads/{id}/archive': { id: 'lead' },
  'POST /api/leads/{id}/unarchive': { id: 'lead' },
  'GET /api/leads/{id}/export': { id: 'lead' },
  'GET /api/leads/{id}/timeline': { id: 'lead' },
  'GET /api/leads/{id}/score': { id: 'lead' },
  'PUT /api/leads/{id}/score/override': { id: 'lead', body: () => ({ score: 90, reason: 'Met in person' }) },
  'DELETE /api/leads/{id}/score/override': { id: 'lead' },
  'GET /api/leads/{id}/onboarding': { id: 'lead' },
  'POST /api/leads/{id}/onboarding/enrich-now': { id: 'lead' },
  'POST /api/leads/{id}/onboarding/skip-enrichment': { id: 'lead' },
  'POST /api/leads/{id}/onboarding/cancel': { id: 'lead' },
  'POST /api/leads/{id}/onboarding/retry': { id: 'lead' },
  'GET /api/score-rules': {},
  'POST /api/score-rules': { body: scoreRules },
  'GET /api/score-rules/rescores/{id}': { id: 'rescore' },
  'POST /api/score-rules/rescores/{id}/pause': { id: 'rescore' },
  'POST /api/score-rules/rescores/{id}/resume': { id: 'rescore' },
  'POST /api/score-rules/rescores/{id}/cancel': { id: 'rescore' },
  'POST /api/score-rules/dry-run': { body: scoreRules },
  'GET /api/leads/{id}/enrichment': { id: 'lead' },
  'PATCH /api/leads/{id}/enrichment': { id: 'lead', body: () => ({ fields: { city: 'Recife' } }) },
  'POST /api/leads/{id}/enrich': { id: 'lead' },
  'GET /api/notifications': { list: true, query: 'userId=user-1' },
  'GET /api/notifications/stream': { query: 'userId=user-1' },
  'POST /api/notifications/stream/token': { body: (organizationId) => ({ organizationId, userId: 'user-1' }) },
  'POST /api/events/stream/token': { body: (organizationId) => ({ organizationId }) },
  'POST /api/notifications/read-all': { query: 'userId=user-1' },
  'POST /api/notifications/{id}/read': { id: 'notification' },
  'GET /api/events': { list: true },
  'GET /api/events/stream': {},
  'GET /api/webhooks': { list: true },
  'POST /api/webhooks': { body: (organizationId) => ({ organizationId, url: 'https://hooks.acme.com/leads' }) },
  'GET /api/webhooks/{id}': { id: 'webhook' },
  'PATCH /api/webhooks/{id}': { id: 'webhook', body: () => ({ description: 'CRM' }) },
  'DELETE /api/webhooks/{id}': { id: 'webhook' },
  'POST /api/webhooks/{id}/rotate-secret': { id: 'webhook' },
  'GET /api/webhooks/{id}/attempts': { id: 'webhook' },
  'POST /api/webhooks/{id}/redeliver': { id: 'webhook', body: () => ({ givenUp: true }) },
  'POST /api/webhooks/{id}/test': { id: 'webhook' },
  'GET /api/me': { anyKey: true },
  'GET /api/audit': { list: true },
  'GET /api/keys': { list: true },
  'POST /api/keys': { body: (organizationId) => ({ organizationId, name: 'new', scopes: ['leads:read'] }) },
  'POST /api/keys/{id}/rotate': { id: 'key' },
  'DELETE /api/keys/{id}': { id: 'key' },
  'GET /ops/activity': { operator: true },
  'GET /ops/queues': { operator: true },
  'POST /ops/queues/{name}/pause': { operator: true, body: () => ({ reason: 'The CRM is down' }) },
  'POST /ops/queues/{name}/resume': { operator: true, body: () => ({ reason: 'The CRM is back' }) },
  'POST /ops/queues/{name}/rate': { operator: true, body: () => ({ reason: 'The CRM is slow', perSecond: 5 }) },
  'POST /ops/consistency': { operator: true, body: () => ({}) },
  'GET /ops/leads/{id}': { operator: true },
  'GET /ops/failures': { operator: true },
  'GET /ops/audit': { operator: true },
  'POST /ops/retries': { operator: true, body: () => ({ filter: {} }) },
  'GET /ops/retries/{id}': { operator: true },
  'GET /ops/retries/{id}/leads': { operator: true },
  'POST /ops/retries/{id}/pause': { operator: true, body: () => ({ reason: 'The CRM is down' }) },
  'POST /ops/retries/{id}/resume': { operator: true, body: () => ({ reason: 'The CRM is back' }) },
  'POST /ops/retries/{id}/cancel': { operator: true, body: () => ({ reason: 'Not needed' }) },
  // Its key is a field of the form: see form-keys.test.ts.
  'POST /forms/leads': { open: true },
  'GET /forms/token': { open: true },
  'GET /forms/guard.js': { open: true },
  'GET /healthz': { open: true },
  'GET /readyz': { open: true },
};

export interface Holder {
  organizationId: string;
  /** Of a key for everything. */
  token: string;
  ids: Record<'lead' | 'notification' | 'key' | 'rescore' | 'webhook', string>;
}

const COMMAND_LINE = { keyId: null, userId: null, ipAddress: null, userAgent: null, requestId: 'request-1' };

export const idOf = (token: string) => token.split('_')[1] ?? '';

/** An organization with one of each thing. */
export async function createHolder(database: TestDatabase): Promise<Holder> {
  const organizationId = `org-${randomUUID()}`;
  const { leadId } = await takeIn(database, { organizationId });
  await giveScore(database, leadId);
  const notification = { id: randomUUID(), organizationId, leadId, userId: 'user-1', assignment: 1 };
  const text = { title: 'Novo Lead', message: 'Lead Ana', actionUrl: '/dashboard' };
  await database.prisma.notification.create({ data: { ...notification, ...text } });
  const key = idOf(await makeKey(database, { organizationId }));
  await database.prisma.scoreRuleSet.create({ data: { organizationId, version: 1, rules: BUILT_IN_RULES } });
  const rescore = { id: randomUUID(), organizationId, version: 1, total: 1, requestId: 'request-1' };
  await database.prisma.scoreRescore.create({ data: rescore });
  await database.prisma.$transaction((tx) =>
    recordAudit(tx, { organizationId, action: 'rules.activated', subject: '1' }, COMMAND_LINE),
  );
  const webhook = {
    url: 'https://hooks.acme.com/',
    description: '',
    types: [],
    withPersons: false,
    secret: 'whsec_',
  };
  const { id: webhookId } = await database.prisma.webhookEndpoint.create({
    data: { id: randomUUID(), organizationId, ...webhook },
  });
  const token = await makeKey(database, { organizationId });
  const ids = { lead: leadId, notification: notification.id, key, rescore: rescore.id, webhook: webhookId };
  return { organizationId, token, ids };
}

export interface Target {
  token: string | undefined;
  ids?: Holder['ids'];
  /** In the query. */
  named?: string;
  /** In the body. */
  organizationId?: string;
  headers?: Record<string, string>;
}

/** Calls an operation with one holder's token and another's ids. Whatever comes of it, the document tells it. */
export async function perform(
  api: KeyedApi,
  what: string,
  { token, ids, named, organizationId = '', headers }: Target,
): Promise<Answer> {
  const [method = '', path = ''] = what.split(' ');
  const { id, query, body } = OPERATIONS[what] ?? {};
  const search = [query, named && `organizationId=${named}`].filter(Boolean).join('&');
  const target = path.replace('{id}', id && ids ? ids[id] : randomUUID()).replace('{name}', 'notification');
  const url = search === '' ? target : `${target}?${search}`;
  const answer = await api.as(token)(method, url, body?.(organizationId), headers);
  expectDocumented(await readDocument(api), what, answer);
  return answer;
}

let document: Promise<OpenApiDocument> | undefined;

/** What the API says of itself: the same for all, so it is asked once. */
export const readDocument = (api: KeyedApi): Promise<OpenApiDocument> =>
  (document ??= api.call<OpenApiDocument>('GET', '/openapi.json').then(({ body }) => body));
