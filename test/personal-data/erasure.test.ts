import { randomUUID } from 'node:crypto';
import { describe, expect, onTestFinished } from 'vitest';
import type { Lead } from '../../src/leads/lead.ts';
import { onboardingWorkflowId } from '../../workflows/contract.ts';
import { createTestApi, type Page, type TestApi } from '../support/api.ts';
import type { TestDatabase } from '../support/database.ts';
import { makeKey, test } from '../support/keyed-api.ts';
import { recordLog } from '../support/log.ts';
import { expectProblem } from '../support/problem.ts';
import { carrierTo, relayOnce } from '../support/relay.ts';
import { countRows } from '../support/rows.ts';
import { createClientOfNobody, createTestClient, historyText } from '../support/temporal.ts';
import { createPerson, tablesWithTraces, tracesIn } from './person.ts';

const ACTOR = { 'x-actor-id': 'user-9', 'user-agent': 'vitest' };

interface Entry {
  id: string;
  type: string;
  elapsedMs: number;
  data: Record<string, unknown>;
}

const post = (api: TestApi, body: unknown, key: string) =>
  api.call<Lead>('POST', '/api/leads', body, { 'idempotency-key': key });

const erase = (api: TestApi, leadId: string) => api.call('DELETE', `/api/leads/${leadId}`, undefined, ACTOR);

const timelineOf = async (api: TestApi, leadId: string) =>
  (await api.call<Page<Entry>>('GET', `/api/leads/${leadId}/timeline`)).body.items;

const ordersOf = ({ prisma }: TestDatabase, leadId: string) => prisma.outbox.findMany({ where: { leadId } });

/** One poll of a relay that reaches Temporal. */
async function relay({ pool }: TestDatabase): Promise<void> {
  const client = createTestClient();
  await relayOnce({ pool, log: recordLog().log, carryOut: carrierTo(client) });
  await client.connection.close();
}

/** Tables that tell something of a person who was onboarded. */
const TRACES = ['idempotency_key', 'lead', 'lead_enrichment', 'lead_event', 'notification'];

describe('DELETE /api/leads/{id}', () => {
  test('leaves nothing of a person but an entry that says who erased them and when', async ({
    api,
    onboard,
    database,
  }) => {
    const person = createPerson();
    await onboard(); // workers run from here on
    const first = await post(api, person.lead, `first of ${person.lead.email}`);
    const { id } = first.body;
    await post(api, { ...person.lead, source: 'EVENT', attributes: { again: person.token } }, 'second');
    await api.call('PATCH', `/api/leads/${id}`, { name: `Zul ${person.token}`, assignedTo: 'user-789' });
    const stateOf = async () => (await api.call<Lead>('GET', `/api/leads/${id}`)).body.onboardingState;
    await expect.poll(stateOf).toBe('COMPLETED');
    expect(await tablesWithTraces(database, person)).toEqual(TRACES);
    const others = await database.prisma.lead.count({ where: { id: { not: id } } });

    const answer = await erase(api, id);
    expect({ status: answer.status, text: answer.text }).toEqual({ status: 204, text: '' });
    expect(await tablesWithTraces(database, person)).toEqual([]);
    expect(await ordersOf(database, id)).toEqual([]);
    expect(await database.prisma.lead.count()).toBe(others);
    for (const path of ['', '/onboarding', '/export'])
      expectProblem(await api.call('GET', `/api/leads/${id}${path}`), 404, 'not-found');
    expectProblem(await api.call('PATCH', `/api/leads/${id}`, { name: 'Ana' }), 404, 'not-found');
    expectProblem(await erase(api, id), 404, 'not-found');

    const [entry, ...more] = await timelineOf(api, id);
    expect(more).toEqual([]);
    expect(entry).toMatchObject({
      type: 'lead.erased',
      data: {
        reason: 'request',
        leadCreatedAt: first.body.createdAt,
        metadata: { userId: 'user-9', requestId: answer.headers.get('x-request-id') },
      },
    });
    expect(Object.keys(entry?.data['metadata'] as object).sort()).toEqual(
      ['keyId', 'userId', 'ipAddress', 'userAgent', 'requestId'].sort(),
    );
    expect(entry?.elapsedMs).toBeGreaterThan(0);
    expect(api.log.filter(({ msg }) => msg === 'lead erased')).toEqual([
      expect.objectContaining({ leadId: id, requestId: answer.headers.get('x-request-id') }),
    ]);
    expect(tracesIn(JSON.stringify(api.log), person)).toEqual([]);
  });

  test('reaches all of it under a key too, and says which', async ({ keyed, onboard, database }) => {
    const person = createPerson();
    const { handle } = await onboard(); // workers run from here on
    const token = await makeKey(database);
    const call = keyed.as(token);
    const intake = { 'idempotency-key': `of ${person.lead.email}` };
    const { id } = (await call<Lead>('POST', '/api/leads', person.lead, intake)).body;
    await call('POST', '/api/leads', { ...person.lead, source: 'EVENT' });
    const stateOf = async () => (await call<Lead>('GET', `/api/leads/${id}`)).body.onboardingState;
    await expect.poll(stateOf).toBe('COMPLETED');
    await handle.result();
    const { id: notificationId } = await database.prisma.notification.findFirstOrThrow({ where: { leadId: id } });
    const read = () =>
      call('POST', `/api/notifications/${notificationId}/read`, undefined, { 'idempotency-key': `reads ${id}` });
    expect([(await read()).status, (await read()).status]).toEqual([200, 200]);
    expect(await tablesWithTraces(database, person)).toEqual(TRACES);

    expect((await call('DELETE', `/api/leads/${id}`)).status).toBe(204);
    expect(await tablesWithTraces(database, person)).toEqual([]);
    const { items } = (await call<Page<Entry>>('GET', `/api/leads/${id}/timeline`)).body;
    const metadata = expect.objectContaining({ userId: null, keyId: token.split('_')[1] }) as unknown;
    expect(items).toMatchObject([{ type: 'lead.erased', data: { metadata } }]);
    expectProblem(await call('POST', '/api/leads', person.lead, intake), 410, 'lead-erased');
    expectProblem(await read(), 404, 'not-found');
  });

  test('lets the same person come again as a new lead, but not by a repetition of an old request', async ({
    api,
    database,
  }) => {
    const { lead } = createPerson();
    const { body: before } = await post(api, lead, 'old-key');
    await post(api, lead, 'old-key-of-a-touch');
    await erase(api, before.id);
    await api.idle();
    const rows = await countRows(database);
    for (const key of ['old-key', 'old-key-of-a-touch']) {
      expectProblem(await post(api, lead, key), 410, 'lead-erased');
      expectProblem(await post(api, { ...lead, name: 'Another' }, key), 410, 'lead-erased');
    }
    expect(await countRows(database)).toEqual(rows);

    const again = await post(api, lead, 'new-key');
    expect(again.status).toBe(201);
    expect(again.body.id).not.toBe(before.id);
    expectProblem(await post(api, lead, 'old-key'), 410, 'lead-erased');
    expect((await timelineOf(api, again.body.id)).map(({ type }) => type)).toContain('lead.created');
  });

  test('answers 404 for a lead that there is not, and stores nothing', async ({ api, database }) => {
    const rows = await countRows(database);
    expectProblem(await erase(api, randomUUID()), 404, 'not-found');
    expect(await countRows(database)).toEqual(rows);
  });

  test('erases once, of ten at the same moment', async ({ api, database }) => {
    const { body } = await post(api, createPerson().lead, 'ten');
    const answers = await Promise.all(Array.from({ length: 10 }, () => erase(api, body.id)));
    expect(answers.map(({ status }) => status).sort()).toEqual([204, ...Array.from({ length: 9 }, () => 404)]);
    expect(await database.prisma.leadEvent.findMany({ where: { leadId: body.id } })).toHaveLength(1);
  });
});

describe('the onboarding of an erased lead', () => {
  test('is canceled, with nothing left behind', async ({ api, onboard, database }) => {
    const person = createPerson();
    const run = await onboard({ lead: person.lead, delayMs: 600_000 });
    await expect.poll(() => run.timeline()).toContain('notification.created');
    expect((await erase(api, run.leadId)).status).toBe(204);

    await expect(run.handle.result()).rejects.toThrow('Workflow execution cancelled');
    expect((await run.handle.describe()).status.name).toBe('CANCELLED');
    await api.idle();
    expect(await ordersOf(database, run.leadId)).toEqual([]);
    expect((await timelineOf(api, run.leadId)).map(({ type }) => type)).toEqual(['lead.erased']);
    expect(await tablesWithTraces(database, person)).toEqual([]);
    expect(tracesIn(await historyText(run.handle), person)).toEqual([]);
  });

  test('is canceled when Temporal, which was away, is back: the order to do so outlives the others', async ({
    onboard,
    database,
  }) => {
    const away = createTestApi(database, { client: await createClientOfNobody() });
    onTestFinished(() => away.close());
    const run = await onboard({ lead: createPerson().lead, delayMs: 60_000 });
    await expect.poll(() => run.timeline()).toContain('notification.created');
    expect((await away.call('POST', `/api/leads/${run.leadId}/onboarding/enrich-now`)).status).toBe(202);
    await away.idle();
    expect((await erase(away, run.leadId)).status).toBe(204);
    await away.idle();
    expect(await ordersOf(database, run.leadId)).toMatchObject([
      { kind: 'SIGNAL_ONBOARDING', payload: { signal: 'cancel' }, status: 'PENDING' },
    ]);
    expect((await run.handle.describe()).status.name).toBe('RUNNING');

    await database.pool.query('UPDATE outbox SET available_at = now() WHERE lead_id = $1', [run.leadId]);
    await relay(database);
    await expect(run.handle.result()).rejects.toThrow('Workflow execution cancelled');
    expect(await ordersOf(database, run.leadId)).toEqual([]);
  });

  test('is not started any more when its order was not carried out', async ({ database }) => {
    const api = createTestApi(database, { slots: 0 });
    onTestFinished(() => api.close());
    const { body } = await post(api, createPerson().lead, 'never-started');
    expect(await ordersOf(database, body.id)).toMatchObject([{ kind: 'START_ONBOARDING' }]);
    await erase(api, body.id);
    await relay(database);
    const [order, ...others] = await ordersOf(database, body.id);
    expect(others).toEqual([]);
    expect(order).toMatchObject({ kind: 'SIGNAL_ONBOARDING', lastError: 'WorkflowNotFound' }); // a start may be in hand

    const payload = { ...(order?.payload as object), erasedAt: new Date(Date.now() - 60_000).toISOString() };
    await database.prisma.outbox.updateMany({
      where: { leadId: body.id },
      data: { payload, availableAt: new Date(0) },
    });
    await relay(database);
    expect(await ordersOf(database, body.id)).toEqual([]);
    const client = createTestClient();
    await expect(client.workflow.getHandle(onboardingWorkflowId(body.id)).describe()).rejects.toThrow();
    await client.connection.close();
  });
});
