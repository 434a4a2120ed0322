import { describe, expect } from 'vitest';
import type { Lead } from '../../src/leads/lead.ts';
import { countScores } from '../../src/scoring/stored-leads.ts';
import { newLead, type Page, testWithoutStarts as test, type TestApi } from '../support/api.ts';
import { takeIn } from '../support/onboarding.ts';
import { expectProblem } from '../support/problem.ts';
import { onboardByHand } from '../support/rows.ts';

let organizations = 0;
const newOrganization = () => `org-archive-${(organizations += 1)}`;

const archive = (api: TestApi, id: string) => api.call<Lead>('POST', `/api/leads/${id}/archive`);
const unarchive = (api: TestApi, id: string) => api.call<Lead>('POST', `/api/leads/${id}/unarchive`);

const namesOf = async (api: TestApi, query: Record<string, string>) => {
  const { status, body } = await api.call<Page<Lead>>('GET', `/api/leads?${new URLSearchParams(query).toString()}`);
  expect(status).toBe(200);
  return body.items.map(({ name }) => name);
};

const typesOf = async (api: TestApi, id: string) =>
  (await api.call<Page<{ type: string }>>('GET', `/api/leads/${id}/timeline`)).body.items.map(({ type }) => type);

describe('a lead that is put aside', () => {
  const HOT = { score: 85, band: 'HOT', state: 'COMPLETED' } as const;

  test('is in lists and searches only where they ask for it, whatever else they ask for', async ({ api, database }) => {
    const organizationId = newOrganization();
    const like = { organizationId, status: 'LOST', source: 'ADS', assignedTo: 'user-1' } as const;
    const { leadId: kept } = await takeIn(database, { ...like, name: 'Ana Kept' });
    const { leadId: aside } = await takeIn(database, { ...like, name: 'Ana Aside' });
    for (const leadId of [kept, aside]) await onboardByHand(database, leadId, HOT);
    expect(await archive(api, aside)).toMatchObject({ status: 200, body: { id: aside, archived: true } });

    for (const filter of [
      {},
      { status: 'LOST' },
      { source: 'ADS' },
      { assignedTo: 'user-1' },
      { scoreBand: 'HOT' },
      { onboardingState: 'COMPLETED' },
      { scoreBand: 'HOT', onboardingState: 'COMPLETED', status: 'LOST' },
      { q: 'ana' },
      { q: 'an' },
    ]) {
      const query = { organizationId, ...filter } as Record<string, string>;
      expect(await namesOf(api, query), JSON.stringify(filter)).toEqual(['Ana Kept']);
      expect(await namesOf(api, { ...query, archived: 'false' })).toEqual(['Ana Kept']);
      expect(await namesOf(api, { ...query, archived: 'true' }), JSON.stringify(filter)).toEqual(['Ana Aside']);
    }
    expect(await countScores(database.prisma, organizationId)).toBe(2);

    expect(await unarchive(api, aside)).toMatchObject({ status: 200, body: { archived: false } });
    expect(await namesOf(api, { organizationId, scoreBand: 'HOT' })).toEqual(['Ana Aside', 'Ana Kept']);
  });

  test('is found by its e-mail all the same, so that nobody takes it for missing', async ({ api, database }) => {
    const organizationId = newOrganization();
    const { leadId } = await takeIn(database, { organizationId, name: 'Ana', email: 'ana@acme.example' });
    await archive(api, leadId);
    const query = { organizationId, email: 'ANA@acme.example' };
    expect(await namesOf(api, query)).toEqual(['Ana']);
    expect(await namesOf(api, { ...query, archived: 'true' })).toEqual(['Ana']);
    expect(await namesOf(api, { ...query, archived: 'false' })).toEqual([]);
  });

  test('keeps its place in the list by changes, which tells of it', async ({ api, database }) => {
    const organizationId = newOrganization();
    const { leadId } = await takeIn(database, { organizationId, name: 'Ana' });
    await takeIn(database, { organizationId, name: 'Bia' });
    await archive(api, leadId);
    expect(await namesOf(api, { organizationId, sort: 'updatedAt' })).toEqual(['Bia', 'Ana']);
    const problem = await api.call('GET', `/api/leads?organizationId=${organizationId}&sort=updatedAt&archived=true`);
    expectProblem(problem, 400, 'invalid-request', ['archived']);
  });

  test('says so on its timeline and by its ETag, once', async ({ api, database }) => {
    const { leadId } = await takeIn(database);
    const first = await archive(api, leadId);
    const again = await archive(api, leadId);
    expect(again).toMatchObject({ status: 200, body: first.body });
    expect(again.headers.get('etag')).toBe(first.headers.get('etag'));
    await unarchive(api, leadId);
    await unarchive(api, leadId);
    expect(await typesOf(api, leadId)).toEqual(['lead.created', 'lead.archived', 'lead.unarchived']);
    const late = await api.call(
      'PATCH',
      `/api/leads/${leadId}`,
      { name: 'X' },
      { 'if-match': first.headers.get('etag') ?? '' },
    );
    expectProblem(late, 412, 'precondition-failed');
  });

  test('goes on with its onboarding, and stays aside when it is scored', async ({ api, database }) => {
    const organizationId = newOrganization();
    const { leadId } = await takeIn(database, { organizationId, name: 'Ana' });
    await archive(api, leadId);
    await database.pool.query('SELECT put_scores($1)', [
      JSON.stringify([
        { lead_id: leadId, score: 85, band: 'HOT', breakdown: [{ rule: 'a', points: 85, reason: 'A' }] },
      ]),
    ]);
    expect(await namesOf(api, { organizationId, scoreBand: 'HOT' })).toEqual([]);
    expect(await namesOf(api, { organizationId, scoreBand: 'HOT', archived: 'true' })).toEqual(['Ana']);
    expect(await database.prisma.outbox.count({ where: { leadId } })).toBe(1);
  });

  test.for([
    ['by one who may read', (api: TestApi, lead: object) => api.call<Lead>('POST', '/api/leads', lead)],
    [
      'in a batch',
      async (api: TestApi, { organizationId, ...lead }: ReturnType<typeof newLead>) =>
        api.call('POST', '/api/leads/batch', { organizationId, leads: [lead] }),
    ],
  ] as const)('comes back when it is handed in again, %s', async ([, handIn], { api }) => {
    const lead = newLead({ organizationId: newOrganization() });
    const { body } = await api.call<Lead>('POST', '/api/leads', lead);
    await archive(api, body.id);
    expect(await handIn(api, lead)).toMatchObject({ status: 200 });
    expect(await namesOf(api, { organizationId: lead.organizationId })).toEqual([lead.name]);
    expect(await typesOf(api, body.id)).toEqual(['lead.created', 'lead.archived', 'lead.touched', 'lead.unarchived']);
  });

  test('comes back with what a submission with onDuplicate=update changes', async ({ api }) => {
    const lead = newLead({ organizationId: newOrganization() });
    const { body } = await api.call<Lead>('POST', '/api/leads', lead);
    await archive(api, body.id);
    const changed = await api.call('POST', '/api/leads?onDuplicate=update', { ...lead, company: 'Acme' });
    expect(changed).toMatchObject({ status: 200, body: { company: 'Acme', archived: false } });
  });

  test('that there is not is answered with 404', async ({ api }) => {
    for (const call of [archive, unarchive]) expectProblem(await call(api, crypto.randomUUID()), 404, 'not-found');
  });
});
