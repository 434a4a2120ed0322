import { describe, expect } from 'vitest';
import type { Lead } from '../../src/leads/lead.ts';
import { submissionSchema } from '../../src/leads/submission.ts';
import { newLead, testWithoutStarts as test, type TestApi } from '../support/api.ts';
import type { TestDatabase } from '../support/database.ts';

type Intake = Lead & { duplicate?: boolean };

describe('POST /api/leads with an e-mail that the organization has', () => {
  test('answers 200 with the lead that there is, and keeps the submission as a touch', async ({ api, database }) => {
    const first = await api.call<Intake>('POST', '/api/leads', newLead());
    const again = newLead({
      email: first.body.email,
      name: 'J. Silva',
      company: null,
      source: 'EVENT',
      attributes: { stand: 7 },
    });
    const second = await api.call<Intake>('POST', '/api/leads', again, { 'x-actor-id': 'user-9' });

    expect(second).toMatchObject({ status: 200, body: { ...first.body, duplicate: true } });
    expect(second.headers.get('location')).toBe(`/api/leads/${first.body.id}`);
    expect((await api.call('GET', `/api/leads/${first.body.id}`)).body).toEqual(first.body);

    const events = await database.prisma.leadEvent.findMany({
      where: { leadId: first.body.id },
      orderBy: { seq: 'asc' },
    });
    expect(events.map(({ type }) => type)).toEqual(['lead.created', 'lead.touched']);
    expect(events[1]).toMatchObject({
      organizationId: 'org-123',
      data: { ...again, status: 'NEW', priority: 'NORMAL', locale: 'pt-BR' },
      metadata: { userId: 'user-9', requestId: second.headers.get('x-request-id') },
    });
    expect(Object.keys(events[1]?.data ?? {}).toSorted()).toEqual(Object.keys(submissionSchema.shape).toSorted());
  });

  test('orders no second onboarding', async ({ api, database }) => {
    const lead = newLead();
    const { body } = await api.call<Intake>('POST', '/api/leads', lead);
    for (let i = 0; i < 3; i += 1) await api.call('POST', '/api/leads', lead);
    expect(await database.prisma.outbox.count({ where: { leadId: body.id } })).toBe(1);
  });

  test.for([
    ['joao@EXAMPLE.com', 'JOAO@example.COM'],
    ['ana@münchen.example', 'Ana@xn--mnchen-3ya.example'],
    ['ana@MÜNCHEN.example', '  ana@münchen.example '],
    ['JOSÉ@example.com', 'josé@example.com'],
  ])('takes %j and %j for the same', async ([one, other], { api }) => {
    const organizationId = `org-${one}`;
    const first = await api.call<Intake>('POST', '/api/leads', newLead({ organizationId, email: one }));
    const second = await api.call<Intake>('POST', '/api/leads', newLead({ organizationId, email: other }));
    expect(second).toMatchObject({ status: 200, body: { id: first.body.id, email: one, duplicate: true } });
  });

  test.for([
    ['joao+a@example.com', 'joao+b@example.com'],
    ['joao.silva@example.com', 'joaosilva@example.com'],
  ])('takes %j and %j for two', async ([one, other], { api }) => {
    const organizationId = `org-${one}`;
    const first = await api.call<Intake>('POST', '/api/leads', newLead({ organizationId, email: one }));
    const second = await api.call<Intake>('POST', '/api/leads', newLead({ organizationId, email: other }));
    expect([first.status, second.status]).toEqual([201, 201]);
    expect(second.body.id).not.toBe(first.body.id);
  });

  test('makes another lead for another organization', async ({ api }) => {
    const lead = newLead();
    const first = await api.call<Intake>('POST', '/api/leads', lead);
    const second = await api.call<Intake>('POST', '/api/leads', { ...lead, organizationId: 'org-456' });
    expect(second.status).toBe(201);
    expect(second.body.id).not.toBe(first.body.id);
  });

  test('makes a lead for each submission without an e-mail', async ({ api }) => {
    const lead = newLead({ email: null });
    const answers = [
      await api.call<Intake>('POST', '/api/leads', lead),
      await api.call<Intake>('POST', '/api/leads', lead),
    ];
    expect(answers.map(({ status }) => status)).toEqual([201, 201]);
    expect(answers[0]?.body.id).not.toBe(answers[1]?.body.id);
  });

  test('makes one lead of 50 at the same moment, with 49 touches and one order', async ({ api, database }) => {
    const lead = newLead();
    const answers = await Promise.all(Array.from({ length: 50 }, () => api.call<Intake>('POST', '/api/leads', lead)));
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
    expect(answers.filter(({ status, body }) => status === 200 && body.duplicate === true)).toHaveLength(49);
    expect(new Set(answers.map(({ body }) => body.id)).size).toBe(1);

    const leadId = answers[0]?.body.id ?? '';
    expect(await database.prisma.lead.count({ where: { email: lead.email } })).toBe(1);
    expect(await database.prisma.leadEvent.count({ where: { leadId, type: 'lead.touched' } })).toBe(49);
    expect(await database.prisma.outbox.count({ where: { leadId } })).toBe(1);
  });
});

describe('what does not start an onboarding', () => {
  test.override({ slots: 8 });

  /** Whether the next lead is onboarded at once: the slots for that are few. */
  async function expectSlots(api: TestApi, { prisma }: TestDatabase) {
    const { body } = await api.call<Intake>('POST', '/api/leads', newLead());
    await api.idle();
    expect(await prisma.outbox.count({ where: { leadId: body.id } })).toBe(0);
  }

  test('gives its slot back: a duplicate', async ({ api, database }) => {
    const lead = newLead();
    for (let i = 0; i < 10; i += 1) await api.call('POST', '/api/leads', lead);
    await expectSlots(api, database);
  });

  test('gives its slot back: a fault', async ({ api, database }) => {
    await database.pool.query('ALTER TABLE outbox ADD CONSTRAINT broken CHECK (false) NOT VALID');
    for (let i = 0; i < 10; i += 1) expect((await api.call('POST', '/api/leads', newLead())).status).toBe(500);
    await database.pool.query('ALTER TABLE outbox DROP CONSTRAINT broken');
    await expectSlots(api, database);
  });
});
