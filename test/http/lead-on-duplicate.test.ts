import { describe, expect } from 'vitest';
import type { Lead } from '../../src/leads/lead.ts';
import { newLead, type Page, type TestApi } from '../support/api.ts';
import { makeKey, testWithoutStarts as test } from '../support/keyed-api.ts';
import { expectProblem } from '../support/problem.ts';

interface Entry {
  type: string;
  data: Record<string, unknown>;
}

const create = async (api: TestApi, change = {}) =>
  (await api.call<Lead>('POST', '/api/leads', newLead({ priority: 'LOW', phone: '+55 11 1234', ...change }))).body;
const timelineOf = async (api: TestApi, id: string) =>
  (await api.call<Page<Entry>>('GET', `/api/leads/${id}/timeline`)).body.items;
const typesOf = (entries: Entry[]) => entries.map(({ type }) => type);

const UPDATE = '/api/leads?onDuplicate=update';

describe('POST /api/leads?onDuplicate=update', () => {
  test('changes what the body names, and tells what changed', async ({ api, database }) => {
    const lead = await create(api);
    const { organizationId, email } = lead;
    const change = { name: 'João da Silva', status: 'QUALIFIED', priority: 'CRITICAL', attributes: { stand: 7 } };
    const answer = await api.call<Lead>('POST', UPDATE, { organizationId, email, ...change });
    const expected = { ...lead, ...change, updatedAt: answer.body.updatedAt, duplicate: true };
    expect(answer).toMatchObject({ status: 200, body: expected });
    expect(Object.keys(answer.body).toSorted()).toEqual(Object.keys(expected).toSorted());

    const entries = await timelineOf(api, lead.id);
    expect(typesOf(entries)).toEqual(['lead.created', 'lead.touched', 'lead.updated']);
    expect(entries[2]?.data['changes']).toEqual({
      name: { from: lead.name, to: change.name },
      status: { from: 'NEW', to: 'QUALIFIED' },
      priority: { from: 'LOW', to: 'CRITICAL' },
      attributes: { from: {}, to: { stand: 7 } },
    });
    const signal = await database.prisma.outbox.findFirst({ where: { leadId: lead.id, kind: 'SIGNAL_ONBOARDING' } });
    expect(signal?.payload).toMatchObject({ signal: 'changePriority', priority: 'CRITICAL', version: 2, round: 1 });
  });

  test('tells a new assignee', async ({ api, database }) => {
    const lead = await create(api);
    const { organizationId, email, name } = lead;
    await api.call('POST', UPDATE, { organizationId, email, name, assignedTo: 'user-789' });
    expect(typesOf(await timelineOf(api, lead.id))).toEqual(['lead.created', 'lead.touched', 'lead.assigned']);
    const where = { leadId: lead.id, kind: 'NOTIFY_ASSIGNEE' as const };
    expect((await database.prisma.outbox.findFirst({ where }))?.payload).toMatchObject({ assignment: 2 });
  });

  test('without a difference leaves the lead as it is', async ({ api }) => {
    const lead = await create(api);
    const { organizationId, email, name } = lead;
    const { body } = await api.call<Lead>('POST', UPDATE, { organizationId, email, name });
    expect(body).toEqual({ ...lead, duplicate: true });
    expect(typesOf(await timelineOf(api, lead.id))).toEqual(['lead.created', 'lead.touched']);
  });

  test('is done once for an Idempotency-Key, which stands for no other way', async ({ api }) => {
    const lead = await create(api);
    const { organizationId, email } = lead;
    const body = { organizationId, email, name: 'Once' };
    const key = { 'idempotency-key': `once ${lead.id}` };
    const first = await api.call<Lead>('POST', UPDATE, body, key);
    await api.call('PATCH', `/api/leads/${lead.id}`, { name: 'Later' });
    expect((await api.call('POST', UPDATE, body, key)).body).toEqual(first.body);
    expect((await api.call<Lead>('GET', `/api/leads/${lead.id}`)).body.name).toBe('Later');
    expectProblem(await api.call('POST', '/api/leads', body, key), 422, 'idempotency-key-reused');
  });

  test('loses no change of two that come at once', async ({ api }) => {
    const lead = await create(api);
    const { organizationId, email } = lead;
    const names = Array.from({ length: 8 }, (_, i) => `Name ${i}`);
    const answers = await Promise.all(
      names.map((name) => api.call<Lead>('POST', UPDATE, { organizationId, email, name })),
    );
    for (const { status } of answers) expect(status).toBe(200);
    const updates = (await timelineOf(api, lead.id)).filter(({ type }) => type === 'lead.updated');
    expect(updates).toHaveLength(8);
    const lastName = (await api.call<Lead>('GET', `/api/leads/${lead.id}`)).body.name;
    const said = updates.map(({ data }) => (data['changes'] as { name: { from: string; to: string } }).name);
    // Each goes on from what the one before has left.
    const left = [lead.name, ...said.map(({ to }) => to)];
    expect(new Set(said.map(({ from }) => from))).toEqual(new Set(left.filter((name) => name !== lastName)));
  });

  test('works for batches as well', async ({ api }) => {
    const lead = await create(api);
    const { organizationId, email } = lead;
    const batch = { organizationId, leads: [{ name: 'Batch', email }] };
    const { body } = await api.call<{ results: { lead: Lead }[] }>(
      'POST',
      '/api/leads/batch?onDuplicate=update',
      batch,
    );
    expect(body.results).toMatchObject([{ outcome: 'duplicate', lead: { id: lead.id, name: 'Batch' } }]);
  });

  test('needs the scope of changes as well', async ({ keyed, database }) => {
    const call = keyed.as(await makeKey(database, { scopes: ['leads:create', 'leads:read'] }));
    const lead = newLead();
    expect((await call('POST', '/api/leads?onDuplicate=keep', lead)).status).toBe(201);
    expectProblem(await call('POST', UPDATE, lead), 403, 'forbidden');
    const { organizationId, ...alone } = lead;
    const batch = { organizationId, leads: [alone] };
    expectProblem(await call('POST', '/api/leads/batch?onDuplicate=update', batch), 403, 'forbidden');
  });

  test('knows no third way', async ({ api }) => {
    const answer = await api.call('POST', '/api/leads?onDuplicate=replace', newLead());
    expectProblem(answer, 400, 'invalid-request', ['onDuplicate']);
  });
});

test('POST /api/leads keeps a lead that is there, unless told otherwise', async ({ api }) => {
  for (const path of ['/api/leads', '/api/leads?onDuplicate=keep']) {
    const lead = await create(api);
    const { body } = await api.call<Lead>('POST', path, { ...newLead({ name: 'Other' }), email: lead.email });
    expect(body).toEqual({ ...lead, duplicate: true });
  }
});
