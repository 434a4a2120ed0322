import { describe, expect } from 'vitest';
import type { Lead } from '../../src/leads/lead.ts';
import { onboardingWorkflowId } from '../../workflows/contract.ts';
import { createTestApi, newLead, test } from '../support/api.ts';
import { LEAST_LEAD, LEAST_LEAD_STORED } from '../support/least-lead.ts';
import { SEED_LEAD } from '../support/onboarding.ts';
import { recordStatements } from '../support/statements.ts';
import { createClientOfNobody, createTestClient } from '../support/temporal.ts';

const UUID_V7 = /^[\da-f]{8}-[\da-f]{4}-7[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/;

describe('POST /api/leads', () => {
  test('answers 201 with the whole lead and where it is', async ({ api }) => {
    const { status, headers, body } = await api.call<Lead>('POST', '/api/leads', SEED_LEAD);
    expect(status).toBe(201);
    expect(headers.get('content-type')).toMatch(/^application\/json/);
    expect(headers.get('location')).toBe(`/api/leads/${body.id}`);
    expect(body).toEqual({
      ...SEED_LEAD,
      id: expect.stringMatching(UUID_V7) as string,
      status: 'NEW',
      priority: 'NORMAL',
      locale: 'pt-BR',
      attributes: {},
      score: null,
      scoreBand: null,
      enrichment: null,
      onboardingState: 'PENDING',
      archived: false,
      createdAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/) as string,
      updatedAt: body.createdAt,
    });
    const { body: read } = await api.call<Lead>('GET', headers.get('location') ?? '');
    expect(read).toEqual(body);
  });

  test('needs no more than organization and name', async ({ api }) => {
    const { status, body } = await api.call<Lead>('POST', '/api/leads', LEAST_LEAD);
    expect(status).toBe(201);
    expect(body).toMatchObject(LEAST_LEAD_STORED);
  });

  test('keeps what the caller chose, and attributes as they are', async ({ api, database }) => {
    const chosen = newLead({
      status: 'QUALIFIED',
      source: 'PARTNER',
      priority: 'CRITICAL',
      locale: 'en',
      attributes: { utm: { campaign: 'black "friday"', tags: ['a', null, 1.5, true] }, '': 0, 'ação 😀': ' spaced ' },
    });
    const { body } = await api.call<Lead>('POST', '/api/leads', chosen);
    expect(body).toMatchObject(chosen);
    const row = await database.prisma.lead.findUniqueOrThrow({ where: { id: body.id } });
    expect(row).toMatchObject({ ...chosen, assignment: 1, onboardingRound: 1 });
  });

  test('trims texts, and counts characters, not bytes or surrogates, after that', async ({ api }) => {
    const long = '😀'.repeat(200);
    const { status, body } = await api.call<Lead>(
      'POST',
      '/api/leads',
      newLead({ name: `  ${long}\n`, company: ' A ' }),
    );
    expect(status).toBe(201);
    expect(body).toMatchObject({ name: long, company: 'A' });
  });

  test('stores and answers names without characters that hide in them', async ({ api, database }) => {
    const typed = {
      name: 'Ana\u202e\u0007 \n Silva',
      company: '\ufeffAcme\u200b',
      phone: '\u202a+55 11 98765-4321\u202c',
    };
    const seen = { name: 'Ana Silva', company: 'Acme', phone: '+55 11 98765-4321' };
    const { body } = await api.call<Lead>('POST', '/api/leads', newLead(typed));
    expect(body).toMatchObject(seen);
    expect(await database.prisma.lead.findUniqueOrThrow({ where: { id: body.id } })).toMatchObject(seen);
    const created = await database.prisma.leadEvent.findFirstOrThrow({ where: { leadId: body.id } });
    expect(created.data).toMatchObject({ name: seen.name });
  });

  test('answers a lead that was stored before names were cleaned as clean', async ({ api, database }) => {
    const { body } = await api.call<Lead>('POST', '/api/leads', newLead());
    const data = { name: 'Ana\u202e', company: 'Acme\u200b' };
    await database.prisma.leadRecord.update({ where: { id: body.id }, data });
    const answer = await api.call('GET', `/api/leads/${body.id}`);
    expect(answer.body).toMatchObject({ name: 'Ana', company: 'Acme' });
  });

  test('records the creation with who asked', async ({ api, database }) => {
    const from = { 'x-actor-id': 'user-7', 'user-agent': 'form/1.0', 'x-request-id': 'req-1' };
    const sent = newLead();
    const { body } = await api.call<Lead>('POST', '/api/leads', sent, from);
    const events = await database.prisma.leadEvent.findMany({ where: { leadId: body.id } });
    expect(events).toMatchObject([
      {
        type: 'lead.created',
        organizationId: 'org-123',
        data: {
          leadId: body.id,
          organizationId: 'org-123',
          name: sent.name,
          email: sent.email,
          status: 'NEW',
          source: 'WEBSITE',
          assignedTo: 'user-456',
        },
        metadata: { keyId: null, userId: 'user-7', ipAddress: null, userAgent: 'form/1.0', requestId: 'req-1' },
      },
    ]);
    expect(events[0]?.at.toISOString()).toBe(body.createdAt);
  });

  test('starts the onboarding at once, and empties the outbox', async ({ api, database }) => {
    const { body } = await api.call<Lead>('POST', '/api/leads', newLead());
    await api.idle();
    expect(await database.prisma.outbox.count({ where: { leadId: body.id } })).toBe(0);
    const client = createTestClient();
    const description = await client.workflow.getHandle(onboardingWorkflowId(body.id)).describe();
    expect(description).toMatchObject({ type: 'leadOnboarding', status: { name: 'RUNNING' } });
    await client.connection.close();
  });

  test('leaves the order to the relay, due at once, when it has its hands full', async ({ database }) => {
    const api = createTestApi(database, { slots: 0 });
    const { status, body } = await api.call<Lead>('POST', '/api/leads', newLead({ priority: 'HIGH' }));
    expect(status).toBe(201);
    const { rows } = await database.pool.query(
      'SELECT kind, status, payload, available_at <= clock_timestamp() AS due FROM outbox WHERE lead_id = $1',
      [body.id],
    );
    expect(rows).toMatchObject([
      {
        kind: 'START_ONBOARDING',
        status: 'PENDING',
        payload: { round: 1, enrichmentDelayMs: 50, priority: 'HIGH', source: 'WEBSITE' },
        due: true,
      },
    ]);
    await api.close();
  });

  test('takes the lead in while Temporal is down, and keeps the order', async ({ database }) => {
    const nobody = await createClientOfNobody();
    const api = createTestApi(database, { client: nobody });
    const { status, body } = await api.call<Lead>('POST', '/api/leads', newLead());
    expect(status).toBe(201);
    await api.idle();
    expect(await database.prisma.outbox.findMany({ where: { leadId: body.id } })).toMatchObject([
      { kind: 'START_ONBOARDING', status: 'PENDING', lastError: expect.stringMatching(/^gRPC (4|14)/) as string },
    ]);
    await api.close();
  });

  test('asks Postgres once; that relays are woken is nothing that it waits for', async ({ database }) => {
    const api = createTestApi(database, { slots: 0 });
    await api.call('POST', '/api/leads', newLead());
    const statements = recordStatements();
    const plain = newLead();
    for (const [body, headers] of [[plain], [plain], [newLead(), { 'idempotency-key': 'once' }]] as const) {
      await api.idle();
      statements.length = 0;
      expect((await api.call('POST', '/api/leads', body, headers)).status).toBeLessThan(300);
      const asked = statements.map(({ text }) => text).filter((text) => text !== 'NOTIFY outbox');
      expect(asked).toEqual([expect.stringContaining('intake_group(')]);
    }
    await api.close();
  });

  test('logs ids and states, never what a person typed', async ({ api }) => {
    const typed = { name: 'Zuleica Quirino', email: 'Zuleica@Quirino.example', phone: '+5521912345678' };
    const lead = newLead({ ...typed, company: 'Quirino Ltda', attributes: { nickname: 'Zuzu' } });
    const { body } = await api.call<Lead>('POST', '/api/leads', lead);
    await api.call('POST', '/api/leads', lead);
    const { organizationId, ...ofBatch } = lead;
    await api.call('POST', '/api/leads/batch', { organizationId, leads: [ofBatch] });
    await api.call('POST', '/api/leads', { ...lead, nmae: 'Zuleica' });
    await api.call('POST', '/api/leads', JSON.stringify(lead).slice(0, -1));
    await api.call('GET', `/api/leads?organizationId=org-123&q=Zuleica`);
    await api.idle();

    const text = JSON.stringify(api.log);
    for (const personal of ['uleica', 'uirino', '9123', 'Zuzu']) expect(text).not.toContain(personal);
    const about = api.log.filter(({ leadId }) => leadId === body.id).map(({ msg }) => msg);
    expect(about.filter((msg) => msg !== 'workflow started')).toEqual(['lead created', 'lead touched', 'lead touched']);
    expect(about).toContain('workflow started');
    const routes = api.log.filter(({ msg }) => msg === 'request answered');
    expect(routes.map(({ route, status }) => [route, status])).toEqual([
      ['/api/leads', 201],
      ['/api/leads', 200],
      ['/api/leads/batch', 200],
      ['/api/leads', 400],
      ['/api/leads', 400],
      ['/api/leads', 200],
    ]);
  });
});
