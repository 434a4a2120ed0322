import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect } from 'vitest';
import { MAX_BODY_BYTES } from '../../src/http/request/body.ts';
import type { Lead } from '../../src/leads/lead.ts';
import { onboardByHand } from '../support/rows.ts';
import { newLead, testWithoutStarts as test, type TestApi } from '../support/api.ts';
import type { TestDatabase } from '../support/database.ts';
import { expectProblem } from '../support/problem.ts';
import { countRows } from '../support/rows.ts';

async function create(api: TestApi, change: Record<string, unknown> = {}): Promise<Lead> {
  const { status, body } = await api.call<Lead>('POST', '/api/leads', newLead(change));
  expect(status).toBe(201);
  return body;
}

/** What happened to the lead since its creation. */
const eventsOf = ({ prisma }: TestDatabase, leadId: string) =>
  prisma.leadEvent.findMany({ where: { leadId, type: { not: 'lead.created' } }, orderBy: { seq: 'asc' } });

const ordersOf = ({ prisma }: TestDatabase, leadId: string) =>
  prisma.outbox.findMany({ where: { leadId, kind: 'NOTIFY_ASSIGNEE' }, orderBy: { createdAt: 'asc' } });

describe('GET /api/leads/{id}', () => {
  test('answers the lead as it is now, however its id is spelled', async ({ api, database }) => {
    const lead = await create(api, { attributes: { a: 1 } });
    expect(await api.call('GET', `/api/leads/${lead.id}`)).toMatchObject({ status: 200, body: lead });

    const enrichment = { outcome: 'completed', fields: {} };
    const data = { score: 85, scoreBand: 'HOT', enrichment, onboardingState: 'COMPLETED' } as const;
    await onboardByHand(database, lead.id, { score: 85, band: 'HOT', enrichment, state: 'COMPLETED' });
    const { body } = await api.call<Lead>('GET', `/api/leads/${lead.id.toUpperCase()}`);
    expect(body).toEqual({ ...lead, ...data, updatedAt: body.updatedAt });
  });

  test('answers 404 for a lead that there is not', async ({ api }) => {
    expectProblem(await api.call('GET', `/api/leads/${randomUUID()}`), 404, 'not-found');
  });
});

describe('PATCH /api/leads/{id}', () => {
  test('changes what it names and nothing else, and moves updatedAt', async ({ api }) => {
    const lead = await create(api);
    await sleep(2);
    const change = { name: ' Maria ', phone: null, status: 'QUALIFIED', locale: 'en', attributes: { a: [1] } };
    const { status, body } = await api.call<Lead>('PATCH', `/api/leads/${lead.id}`, change);
    expect(status).toBe(200);
    expect(body).toEqual({ ...lead, ...change, name: 'Maria', updatedAt: body.updatedAt });
    expect(Date.parse(body.updatedAt)).toBeGreaterThan(Date.parse(lead.updatedAt));
    expect((await api.call('GET', `/api/leads/${lead.id}`)).body).toEqual(body);
  });

  test('writes what was changed, from what to what, and by whom', async ({ api, database }) => {
    const lead = await create(api, { company: null });
    const change = { name: 'Maria', company: 'Nova', status: lead.status };
    const { headers } = await api.call('PATCH', `/api/leads/${lead.id}`, change, { 'x-actor-id': 'user-9' });
    expect(await eventsOf(database, lead.id)).toMatchObject([
      {
        type: 'lead.updated',
        organizationId: lead.organizationId,
        data: { changes: { name: { from: lead.name, to: 'Maria' }, company: { from: null, to: 'Nova' } } },
        metadata: { userId: 'user-9', requestId: headers.get('x-request-id') },
      },
    ]);
    expect(await ordersOf(database, lead.id)).toEqual([]);
  });

  test('orders that a new assignee is told', async ({ api, database }) => {
    const lead = await create(api, { priority: 'HIGH' });
    const { headers, body } = await api.call<Lead>('PATCH', `/api/leads/${lead.id}`, { assignedTo: 'user-789' });
    expect(body.assignedTo).toBe('user-789');
    const events = await eventsOf(database, lead.id);
    expect(events.map(({ type, data }) => ({ type, data }))).toEqual([
      { type: 'lead.assigned', data: { from: 'user-456', to: 'user-789' } },
    ]);
    expect(await ordersOf(database, lead.id)).toMatchObject([
      {
        organizationId: lead.organizationId,
        status: 'PENDING',
        payload: { assignment: 2, priority: 'HIGH', requestId: headers.get('x-request-id') },
      },
    ]);
  });

  test('keeps change and assignment apart on the timeline', async ({ api, database }) => {
    const lead = await create(api, { assignedTo: null });
    await api.call('PATCH', `/api/leads/${lead.id}`, { assignedTo: 'user-1', priority: 'LOW' });
    expect((await eventsOf(database, lead.id)).map(({ type, data }) => [type, data])).toEqual([
      ['lead.updated', { changes: { priority: { from: 'NORMAL', to: 'LOW' } } }],
      ['lead.assigned', { from: null, to: 'user-1' }],
    ]);
    expect(await ordersOf(database, lead.id)).toMatchObject([{ payload: { assignment: 1, priority: 'LOW' } }]);
  });

  test('tells nobody when the assignee is taken away', async ({ api, database }) => {
    const lead = await create(api);
    expect((await api.call('PATCH', `/api/leads/${lead.id}`, { assignedTo: null })).status).toBe(200);
    expect((await eventsOf(database, lead.id)).map(({ type }) => type)).toEqual(['lead.assigned']);
    expect(await ordersOf(database, lead.id)).toEqual([]);
  });

  test('tells each of several who get the lead at the same moment', async ({ api, database }) => {
    const lead = await create(api, { assignedTo: null });
    const users = ['user-1', 'user-2', 'user-3', 'user-4', 'user-5'];
    await Promise.all(users.map((assignedTo) => api.call('PATCH', `/api/leads/${lead.id}`, { assignedTo })));
    const assignments = (await ordersOf(database, lead.id)).map(
      ({ payload }) => (payload as { assignment: number }).assignment,
    );
    expect(assignments.sort()).toEqual([1, 2, 3, 4, 5]);
    expect(await eventsOf(database, lead.id)).toHaveLength(5);
  });

  test('writes nothing when nothing changes, whatever the order of keys', async ({ api, database }) => {
    const lead = await create(api, { attributes: { zeta: { b: 1, a: [{ d: 1, c: 2 }] }, a: null } });
    const before = await countRows(database);
    const same = {
      ...newLead(),
      organizationId: undefined,
      email: lead.email,
      attributes: { zeta: { b: 1, a: [{ d: 1, c: 2 }] }, a: null },
    };
    expect(await api.call('PATCH', `/api/leads/${lead.id}`, same)).toMatchObject({ status: 200, body: lead });
    expect(await countRows(database)).toEqual(before);
  });
});

describe('PATCH /api/leads/{id} of the e-mail', () => {
  test('makes it the one that duplicates are known by', async ({ api }) => {
    const [lead, email] = [await create(api), newLead().email];
    expect(await api.call('PATCH', `/api/leads/${lead.id}`, { email: email.toUpperCase() })).toMatchObject({
      status: 200,
      body: { email: email.toUpperCase() },
    });
    expect(await api.call('POST', '/api/leads', newLead({ email }))).toMatchObject({
      status: 200,
      body: { id: lead.id, duplicate: true },
    });
    expect((await api.call('POST', '/api/leads', newLead({ email: lead.email }))).status).toBe(201);
  });

  test('may change how it is spelled, or take it away', async ({ api }) => {
    const lead = await create(api);
    expect((await api.call('PATCH', `/api/leads/${lead.id}`, { email: lead.email?.toUpperCase() })).status).toBe(200);
    expect((await api.call('PATCH', `/api/leads/${lead.id}`, { email: null })).status).toBe(200);
    expect((await api.call('POST', '/api/leads', newLead({ email: lead.email }))).status).toBe(201);
  });

  test('is refused with 409 when another lead has it, and changes nothing else either', async ({ api, database }) => {
    const [one, other] = [await create(api), await create(api)];
    const before = await countRows(database);
    const change = { email: one.email?.toUpperCase(), name: 'Maria', assignedTo: 'user-1' };
    expectProblem(await api.call('PATCH', `/api/leads/${other.id}`, change), 409, 'conflict');
    expect((await api.call('GET', `/api/leads/${other.id}`)).body).toEqual(other);
    expect(await countRows(database)).toEqual(before);
  });

  test('may be that of a lead of another organization', async ({ api }) => {
    const [one, other] = [await create(api), await create(api, { organizationId: 'org-456' })];
    expect((await api.call('PATCH', `/api/leads/${other.id}`, { email: one.email })).status).toBe(200);
  });
});

describe('PATCH /api/leads/{id} refuses, and changes nothing:', () => {
  test.for([
    ['an empty change', {}, ['']],
    ['a field that is not known', { nmae: 'Ana' }, ['nmae', '']],
    ['a good field beside it', { name: 'Ana', nmae: 'Ana' }, ['nmae']],
    [
      'what cannot be changed',
      { organizationId: 'org-456', id: randomUUID(), score: 100, scoreBand: 'HOT', createdAt: 'now' },
      ['organizationId', 'id', 'score', 'scoreBand', 'createdAt', ''],
    ],
    ['the state of the onboarding', { onboardingState: 'COMPLETED' }, ['onboardingState', '']],
    ['a name of blanks', { name: ' ' }, ['name']],
    ['no name', { name: null }, ['name']],
    ['a state that there is not', { status: 'WON' }, ['status']],
    ['no e-mail address', { email: 'ana' }, ['email']],
    ['NUL', { attributes: { a: '\0' } }, ['attributes']],
    ['a list', [{ name: 'Ana' }], ['']],
    ['null', 'null', ['']],
  ] as [string, unknown, string[]][])('%s', async ([, change, paths], { api }) => {
    const lead = await create(api);
    expectProblem(await api.call('PATCH', `/api/leads/${lead.id}`, change), 400, 'invalid-request', paths);
    expect((await api.call('GET', `/api/leads/${lead.id}`)).body).toEqual(lead);
  });

  test('a lead that there is not', async ({ api }) => {
    expectProblem(await api.call('PATCH', `/api/leads/${randomUUID()}`, { name: 'Ana' }), 404, 'not-found');
  });

  test('broken JSON, too much of it, and what is not JSON', async ({ api }) => {
    const path = `/api/leads/${(await create(api)).id}`;
    expectProblem(await api.call('PATCH', path, '{"name":'), 400, 'malformed-body');
    const long = { 'content-length': String(MAX_BODY_BYTES + 1) };
    expectProblem(await api.call('PATCH', path, { name: 'Ana' }, long), 413, 'body-too-large');
    const patch = { 'content-type': 'application/json-patch+json' };
    expectProblem(await api.call('PATCH', path, { name: 'Ana' }, patch), 415, 'unsupported-media-type');
  });
});
