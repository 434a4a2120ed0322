import { randomUUID } from 'node:crypto';
import { describe, expect, onTestFinished } from 'vitest';
import type { Lead } from '../../src/leads/lead.ts';
import { exportLead } from '../../src/personal-data/export.ts';
import { type Page, test, type TestApi } from '../support/api.ts';
import { recordStatements } from '../support/statements.ts';
import { expectProblem } from '../support/problem.ts';
import { listen } from '../support/server.ts';
import { createPerson } from './person.ts';

interface Export {
  exportedAt: string;
  lead: Lead & { scoreBreakdown: { rule: string; points: number; reason: string }[] | null };
  scores: object[];
  notifications: { leadId: string; userId: string; message: string }[];
  timeline: { type: string; data: { metadata: Record<string, unknown>; attributes?: object } }[];
}

const exportOf = (api: TestApi, leadId: string) => api.call<Export>('GET', `/api/leads/${leadId}/export`);

async function collect(parts: AsyncIterable<string>): Promise<string> {
  let text = '';
  for await (const part of parts) text += part;
  return text;
}

describe('GET /api/leads/{id}/export', () => {
  test('has all that is known of a person, for download', async ({ api, onboard }) => {
    await onboard(); // workers run from here on
    const { lead, token } = createPerson();
    const { body: created } = await api.call<Lead>('POST', '/api/leads', lead);
    const { id } = created;
    await api.call('POST', '/api/leads', { ...lead, source: 'EVENT', attributes: { campaign: token } });
    await api.call('PATCH', `/api/leads/${id}`, { phone: '+55 11 91234-5678', assignedTo: 'user-789' });
    const stateOf = async () => (await api.call<Lead>('GET', `/api/leads/${id}`)).body.onboardingState;
    await expect.poll(stateOf).toBe('COMPLETED');

    const { status, headers, body } = await exportOf(api, id);
    expect(status).toBe(200);
    expect(headers.get('content-type')).toBe('application/json');
    expect(headers.get('content-disposition')).toBe(`attachment; filename="lead-${id}.json"`);
    expect(headers.get('cache-control')).toBe('no-store');

    const { scoreBreakdown, ...rest } = body.lead;
    expect(rest).toEqual((await api.call<Lead>('GET', `/api/leads/${id}`)).body);
    expect(rest.enrichment).toMatchObject({ fields: { emailDomain: { source: 'email' } } });
    expect(scoreBreakdown?.reduce((sum, { points }) => sum + points, 0)).toBe(rest.score);
    expect(body.scores).toMatchObject([
      { score: rest.score, band: rest.scoreBand, cause: 'ONBOARDING', ruleVersion: 0 },
    ]);
    expect(body.notifications.map(({ userId }) => userId)).toContain('user-789');
    expect(body.notifications.every(({ message }) => message.includes(lead.name))).toBe(true);

    const { items } = (await api.call<Page<unknown>>('GET', `/api/leads/${id}/timeline?limit=500`)).body;
    expect(body.timeline).toEqual(items);
    expect(body.timeline.find(({ type }) => type === 'lead.touched')?.data).toMatchObject({
      attributes: { campaign: token },
      metadata: { requestId: expect.any(String) as string },
    });
    expect(new Date(body.exportedAt).getTime()).toBeGreaterThan(new Date(created.createdAt).getTime());
  });

  test('has every touch of many, read a page at a time', async ({ api }) => {
    const { lead, token } = createPerson();
    const { body } = await api.call<Lead>('POST', '/api/leads', lead);
    for (let i = 0; i < 70; i += 1) await api.call('POST', '/api/leads', { ...lead, attributes: { i } });
    const statements = recordStatements();
    const { timeline } = (await exportOf(api, body.id)).body;
    const touches = timeline.filter(({ type }) => type === 'lead.touched');
    expect(touches.map(({ data }) => data.attributes)).toEqual(Array.from({ length: 70 }, (_, i) => ({ i })));
    expect(JSON.stringify(touches).split(token).length).toBeGreaterThan(70);
    expect(statements.filter(({ text }) => text.includes('"lead_event"')).length).toBeGreaterThan(3);
  });

  test('answers 404 for a lead that there is not', async ({ api }) => {
    expectProblem(await exportOf(api, randomUUID()), 404, 'not-found');
  });

  test('breaks off before its end when the lead is erased meanwhile', async ({ api, database }) => {
    const { lead } = createPerson();
    const { body } = await api.call<Lead>('POST', '/api/leads', lead);
    const parts = await exportLead((work) => work(database.prisma), body.id);
    await api.call('DELETE', `/api/leads/${body.id}`);
    await expect(collect(parts)).rejects.toThrow('There is no lead');
  });

  test('closes the connection when the database fails half-way, and says nothing of the cause', async ({
    api,
    database,
  }) => {
    const { lead, token } = createPerson();
    const { body } = await api.call<Lead>('POST', '/api/leads', lead);
    const server = await listen(api);
    onTestFinished(() => server.close());
    await database.pool.query('ALTER TABLE lead_event RENAME TO elsewhere');
    const answer = await fetch(`${server.url}/api/leads/${body.id}/export`);
    expect(answer.status).toBe(200);
    await expect(answer.text()).rejects.toThrow();
    await database.pool.query('ALTER TABLE elsewhere RENAME TO lead_event');
    const [line] = api.log.filter(({ msg }) => msg === 'export broken off');
    expect(line).toMatchObject({ leadId: body.id, err: { code: 'P2021' } });
    expect(JSON.stringify(api.log)).not.toContain(token);
  });
});
