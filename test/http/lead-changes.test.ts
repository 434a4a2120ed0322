import { uuidv7 } from 'uuidv7';
import { describe, expect, onTestFinished } from 'vitest';
import type { Prisma } from '../../src/db/generated/client.ts';
import type { Lead } from '../../src/leads/lead.ts';
import { listChangedLeads } from '../../src/leads/listing.ts';
import { type Page, testWithoutStarts as test, type TestApi } from '../support/api.ts';
import { takeIn } from '../support/onboarding.ts';
import { onboardByHand, storeLeads } from '../support/rows.ts';

let organizations = 0;
const newOrganization = () => `org-changes-${(organizations += 1)}`;

const read = async (api: TestApi, query: Record<string, string>): Promise<Page<Lead>> => {
  const search = new URLSearchParams({ sort: 'updatedAt', ...query }).toString();
  const { status, body } = await api.call<Page<Lead>>('GET', `/api/leads?${search}`);
  expect(status).toBe(200);
  return body;
};

/** All pages, with something done after each of them. */
async function walk(api: TestApi, query: Record<string, string>, between = () => Promise.resolve<unknown>(undefined)) {
  const leads: Lead[] = [];
  for (let cursor: string | null = ''; cursor !== null;) {
    const page: Page<Lead> = await read(api, { ...query, ...(cursor && { cursor }) });
    leads.push(...page.items);
    cursor = page.nextCursor;
    await between();
  }
  return leads;
}

const namesOf = (leads: Lead[]) => leads.map(({ name }) => name);

describe('GET /api/leads?sort=updatedAt', () => {
  test('begins with the oldest change, whoever made it', async ({ api, database }) => {
    const organizationId = newOrganization();
    const ids: Record<string, string> = {};
    for (const name of ['Ana', 'Bia', 'Caio', 'Davi', 'Eva']) {
      ids[name] = (await takeIn(database, { organizationId, name })).leadId;
    }
    await takeIn(database, { organizationId: newOrganization() });
    expect(namesOf(await walk(api, { organizationId }))).toEqual(['Ana', 'Bia', 'Caio', 'Davi', 'Eva']);

    await onboardByHand(database, ids['Caio'] ?? '', { enrichment: {} });
    await onboardByHand(database, ids['Bia'] ?? '', { score: 85, band: 'HOT' });
    await onboardByHand(database, ids['Ana'] ?? '', { state: 'COMPLETED' });
    await api.call('PATCH', `/api/leads/${ids['Davi'] ?? ''}`, { name: 'David' });
    const leads = await walk(api, { organizationId, limit: '2' });
    expect(namesOf(leads)).toEqual(['Eva', 'Caio', 'Bia', 'Ana', 'David']);
    const times = leads.map(({ updatedAt }) => updatedAt);
    expect(times).toEqual(times.toSorted());
    for (const lead of leads) expect((await api.call('GET', `/api/leads/${lead.id}`)).body).toEqual(lead);
  });

  test('passes over no change that comes between its own looks', async ({ api, database }) => {
    const organizationId = newOrganization();
    await takeIn(database, { organizationId, name: 'Ana' });
    const { leadId: last } = await takeIn(database, { organizationId, name: 'Bia' });
    let meanwhile = async () => {
      meanwhile = () => Promise.resolve();
      await takeIn(database, { organizationId, name: 'Caio' });
      await api.call('PATCH', `/api/leads/${last}`, { name: 'Beatriz' });
    };
    const db = database.prisma.$extends({
      query: {
        lead: {
          async findMany({ args, query }) {
            await meanwhile();
            return query(args);
          },
        },
      },
    }) as unknown as Prisma.TransactionClient;
    const first = await listChangedLeads(db, { organizationId, limit: 10 });
    const since = new Date(first.items.at(-1)?.updatedAt ?? 0);
    const next = await listChangedLeads(db, { organizationId, limit: 10, since });
    expect([...first.items, ...next.items].map(({ name }) => name)).toEqual(
      expect.arrayContaining(['Ana', 'Beatriz', 'Caio']),
    );
  });

  test('has what a submission does to a lead that is there only where it changes it', async ({ api, database }) => {
    const organizationId = newOrganization();
    const email = `a@${organizationId}.example`;
    await takeIn(database, { organizationId, name: 'Ana', email });
    await takeIn(database, { organizationId, name: 'Bia' });
    await api.call('POST', '/api/leads', { organizationId, name: 'Touch', email });
    expect(namesOf(await walk(api, { organizationId }))).toEqual(['Ana', 'Bia']);
  });

  test('is read from where the last reading ended by the last updatedAt', async ({ api, database }) => {
    const organizationId = newOrganization();
    const { leadId } = await takeIn(database, { organizationId, name: 'Ana' });
    await takeIn(database, { organizationId, name: 'Bia' });
    const last = (await walk(api, { organizationId })).at(-1);
    await takeIn(database, { organizationId, name: 'Caio' });
    await onboardByHand(database, leadId, { state: 'FAILED' });
    const changed = await walk(api, { organizationId, updatedSince: last?.updatedAt ?? '' });
    expect(namesOf(changed)).toEqual(['Bia', 'Caio', 'Ana']);
    const later = new Date(Date.now() + 3_600_000).toISOString();
    expect(await walk(api, { organizationId, updatedSince: later })).toEqual([]);
  });

  test('misses no lead, and shows the last of each, although they change meanwhile', async ({ api, database }) => {
    const organizationId = newOrganization();
    const moment = new Date('2026-01-01T00:00:00.000Z'); // of all of them
    const data = Array.from({ length: 20 }, (_, i) => ({
      id: uuidv7(),
      organizationId,
      name: `Lead ${i}`,
      updatedAt: moment,
    }));
    await storeLeads(database, data);
    const untouched = [...data];
    const leads = await walk(api, { organizationId, limit: '3' }, async () => {
      const lead = untouched.shift();
      if (untouched.length > 10 && lead)
        await api.call('PATCH', `/api/leads/${lead.id}`, { name: `${lead.name} later` });
    });
    const copy = new Map(leads.map((lead) => [lead.id, lead]));
    expect(copy.size).toBe(20);
    for (const [id, lead] of copy) expect((await api.call('GET', `/api/leads/${id}`)).body).toEqual(lead);
  });

  test('goes on after leads that were erased meanwhile', async ({ api, database }) => {
    const organizationId = newOrganization();
    for (const name of ['Ana', 'Bia', 'Caio', 'Davi']) await takeIn(database, { organizationId, name });
    const first = await read(api, { organizationId, limit: '2' });
    for (const { id } of first.items) await api.call('DELETE', `/api/leads/${id}`);
    const rest = await walk(api, { organizationId, limit: '1', cursor: first.nextCursor ?? '' });
    expect(namesOf(rest)).toEqual(['Caio', 'Davi']);
  });

  test('holds back what comes after a change that is not committed yet', async ({ api, database }) => {
    const organizationId = newOrganization();
    const { leadId } = await takeIn(database, { organizationId, name: 'Slow' });
    const before = (await walk(api, { organizationId })).at(-1)?.updatedAt ?? '';
    const client = await database.pool.connect();
    onTestFinished(async () => {
      await client.query('ROLLBACK');
      client.release();
    });
    await client.query('BEGIN; SET LOCAL idle_in_transaction_session_timeout = 0');
    await client.query(`UPDATE lead SET name = 'Slow, changed', version = version + 1 WHERE id = $1`, [leadId]);
    // Another one, in a later second, is committed first.
    await database.pool.query(`SELECT pg_sleep(1.1)`);
    await takeIn(database, { organizationId, name: 'Quick' });
    const seen = await walk(api, { organizationId });
    expect(namesOf(seen)).not.toContain('Quick');
    await client.query('COMMIT');
    const rest = await walk(api, { organizationId, updatedSince: before });
    expect(namesOf(rest)).toEqual(['Slow, changed', 'Quick']);
  });
});

test('a rolled back change leaves a lead where it was', async ({ api, database }) => {
  const organizationId = newOrganization();
  const { leadId } = await takeIn(database, { organizationId, name: 'Ana' });
  await takeIn(database, { organizationId, name: 'Bia' });
  const client = await database.pool.connect();
  await client.query('BEGIN');
  await client.query(`UPDATE onboarding SET state = 'RUNNING' WHERE lead_id = $1`, [leadId]);
  await client.query('ROLLBACK');
  client.release();
  expect(namesOf(await walk(api, { organizationId }))).toEqual(['Ana', 'Bia']);
});
