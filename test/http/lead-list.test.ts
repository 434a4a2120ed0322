import { uuidv7 } from 'uuidv7';
import { describe, expect } from 'vitest';
import type { Lead } from '../../src/leads/lead.ts';
import { encodeCursor } from '../../src/db/paging.ts';
import { onboardByHand, storeLeads } from '../support/rows.ts';
import { type Page, testWithoutStarts as test, type TestApi } from '../support/api.ts';
import type { TestDatabase } from '../support/database.ts';
import { takeIn } from '../support/onboarding.ts';
import { expectProblem } from '../support/problem.ts';

let organizations = 0;
const newOrganization = () => `org-list-${(organizations += 1)}`;

const list = async (api: TestApi, query: Record<string, string>) =>
  api.call<Page<Lead>>('GET', `/api/leads?${new URLSearchParams(query).toString()}`);

const namesOf = ({ body }: { body: Page<Lead> }) => body.items.map(({ name }) => name);

/** A few leads that differ in all that can be asked for; the last is the newest. */
async function fill(database: TestDatabase, organizationId: string) {
  await takeIn(database, { organizationId, name: 'Ana', status: 'NEW', source: 'ADS', assignedTo: 'user-1' });
  await takeIn(database, { organizationId, name: 'Bia', status: 'LOST', source: 'ADS', assignedTo: 'user-2' });
  await takeIn(database, { organizationId, name: 'Caio', status: 'LOST', source: 'EVENT', assignedTo: 'user-1' });
  const { leadId } = await takeIn(database, {
    organizationId,
    name: 'Davi',
    status: 'LOST',
    source: 'ADS',
    assignedTo: 'user-1',
  });
  await onboardByHand(database, leadId, { score: 85, band: 'HOT', state: 'COMPLETED' });
}

describe('a page of more than 4 MiB', () => {
  const MAX = 4 * 1024 * 1024;
  const large = { attributes: { a: 'ç'.repeat(31 * 1024) } };

  test('ends early: all leads come, page by page', async ({ api, database }) => {
    const organizationId = newOrganization();
    for (let i = 0; i < 70; i += 1) await takeIn(database, { organizationId, name: `Lead ${i}`, ...large });
    const first = await list(api, { organizationId, limit: '100' });
    const second = await list(api, { organizationId, limit: '100', cursor: first.body.nextCursor ?? '' });
    for (const { text } of [first, second]) expect(Buffer.byteLength(text)).toBeLessThanOrEqual(MAX);
    expect([...namesOf(first), ...namesOf(second)]).toEqual(Array.from({ length: 70 }, (_, i) => `Lead ${69 - i}`));
    expect(second.body.nextCursor).toBeNull();
  });

  test('ends early on a timeline as well', async ({ api, database }) => {
    const { leadId, organizationId } = await takeIn(database);
    const event = { leadId, organizationId, type: 'lead.touched', data: large };
    await database.prisma.leadEvent.createMany({
      data: Array.from({ length: 70 }, () => ({ ...event, id: uuidv7() })),
    });
    const read = (cursor: string) =>
      api.call<Page<{ id: string }>>('GET', `/api/leads/${leadId}/timeline?limit=500${cursor}`);
    const pages = [await read('')];
    for (let next = pages[0]?.body.nextCursor; next; next = pages.at(-1)?.body.nextCursor) {
      pages.push(await read(`&cursor=${next}`));
    }
    for (const { text } of pages) expect(Buffer.byteLength(text)).toBeLessThanOrEqual(MAX);
    const seen = pages.flatMap(({ body }) => body.items.map(({ id }) => id));
    expect([seen.length, new Set(seen).size]).toEqual([71, 71]);
  });
});

describe('GET /api/leads', () => {
  test('lists the newest first, whole, and only of the organization', async ({ api, database }) => {
    const organizationId = newOrganization();
    await fill(database, organizationId);
    await fill(database, newOrganization());
    const { status, body } = await list(api, { organizationId });
    expect(status).toBe(200);
    expect(body.items.map(({ name }) => name)).toEqual(['Davi', 'Caio', 'Bia', 'Ana']);
    expect(body.nextCursor).toBeNull();
    const [newest] = body.items;
    expect((await api.call('GET', `/api/leads/${newest?.id ?? ''}`)).body).toEqual(newest);
  });

  test('is empty for an organization that nobody has heard of', async ({ api }) => {
    expect((await list(api, { organizationId: 'org-unheard-of' })).body).toEqual({ items: [], nextCursor: null });
  });

  test.for([
    [{ status: 'LOST' }, ['Davi', 'Caio', 'Bia']],
    [{ source: 'ADS' }, ['Davi', 'Bia', 'Ana']],
    [{ assignedTo: 'user-1' }, ['Davi', 'Caio', 'Ana']],
    [{ scoreBand: 'HOT' }, ['Davi']],
    [{ scoreBand: 'COLD' }, []],
    [{ onboardingState: 'COMPLETED' }, ['Davi']],
    [{ onboardingState: 'PENDING' }, ['Caio', 'Bia', 'Ana']],
    [{ onboardingState: 'PENDING', status: 'LOST' }, ['Caio', 'Bia']],
    [{ onboardingState: 'COMPLETED', scoreBand: 'HOT' }, ['Davi']],
    [{ onboardingState: 'PENDING', scoreBand: 'HOT' }, []],
    [{ onboardingState: 'COMPLETED', q: 'cai' }, []],
    [{ onboardingState: 'PENDING', q: 'acme' }, ['Caio', 'Bia', 'Ana']],
    [{ source: 'EVENT', q: 'acme' }, ['Caio']],
    [{ q: 'avi' }, ['Davi']],
    [{ q: 'bi' }, ['Bia']],
    [{ q: 'b' }, ['Bia']],
    [{ q: 'ia' }, []],
    [{ status: 'LOST', source: 'ADS' }, ['Davi', 'Bia']],
    [{ status: 'LOST', assignedTo: 'user-1', q: 'ca' }, ['Caio']],
    [{ status: 'LOST', source: 'ADS', assignedTo: 'user-1', scoreBand: 'HOT', q: 'DAVI' }, ['Davi']],
    [{ status: 'NEW', scoreBand: 'HOT' }, []],
  ] as [Record<string, string>, string[]][])('filters by %o', async ([filter, names], { api, database }) => {
    const organizationId = newOrganization();
    await fill(database, organizationId);
    expect(namesOf(await list(api, { organizationId, ...filter }))).toEqual(names);
  });

  test('finds the one lead that has an e-mail, however it is typed', async ({ api, database }) => {
    const organizationId = newOrganization();
    const email = `Ana@${organizationId}.Bücher.example`;
    await takeIn(database, { organizationId, name: 'Ana', email, status: 'LOST' });
    await takeIn(database, { organizationId: newOrganization(), name: 'Other', email });
    await takeIn(database, { organizationId, name: 'Bia' });
    const find = async (more: Record<string, string>) => namesOf(await list(api, { organizationId, ...more }));
    for (const typed of [email, email.toUpperCase(), ` ana@${organizationId}.xn--bcher-kva.example `]) {
      expect(await find({ email: typed })).toEqual(['Ana']);
    }
    expect(await find({ email, status: 'LOST', onboardingState: 'PENDING' })).toEqual(['Ana']);
    expect(await find({ email, status: 'NEW' })).toEqual([]);
    expect(await find({ email, onboardingState: 'FAILED' })).toEqual([]);
    expect(await find({ email, scoreBand: 'HOT' })).toEqual([]);
    expect(await find({ email: 'ana' })).toEqual([]);
  });

  test.for([
    ['silva', 'a name, in any case'],
    ['JOÃO', 'a name with an accent, in any case'],
    ['ACME.exam', 'an e-mail'],
    ['me co', 'a company'],
    ['98765', 'a phone'],
    ['100%', 'a percent sign, literally'],
    ['a_b', 'an underscore, literally'],
    ['c:\\d', 'a backslash, literally'],
    ["o'n", 'a quote'],
  ] as [string, string][])('finds %j in %s', async ([q], { api, database }) => {
    const organizationId = newOrganization();
    const found = {
      name: "João Silva 100% a_b c:\\d o'neil",
      email: 'x@acme.example',
      company: 'Acme Corp',
      phone: '+55 98765',
    };
    await takeIn(database, { organizationId, ...found });
    await takeIn(database, {
      organizationId,
      name: '1000 axb c:d',
      email: 'y@other.example',
      company: 'Other',
      phone: '+1',
    });
    expect(namesOf(await list(api, { organizationId, q }))).toEqual([found.name]);
  });

  test('does not find what other organizations have', async ({ api, database }) => {
    const [mine, theirs] = [newOrganization(), newOrganization()];
    await takeIn(database, { organizationId: theirs, name: 'Unheard Of' });
    expect(namesOf(await list(api, { organizationId: mine, q: 'Unheard' }))).toEqual([]);
  });
});

describe('the pages of GET /api/leads', () => {
  async function walk(api: TestApi, query: Record<string, string>, between: () => Promise<unknown>) {
    const ids: string[] = [];
    for (let cursor: string | null = ''; cursor !== null;) {
      const { status, body }: { status: number; body: Page<Lead> } = await list(api, {
        ...query,
        ...(cursor && { cursor }),
      });
      expect(status).toBe(200);
      ids.push(...body.items.map(({ id }) => id));
      cursor = body.nextCursor;
      await between();
    }
    return ids;
  }

  test('hold each lead once, although leads come in meanwhile and several are of the same moment', async ({
    api,
    database,
  }) => {
    const organizationId = newOrganization();
    const start = Date.parse('2026-01-01T00:00:00.000Z');
    const data = Array.from({ length: 23 }, (_, i) => ({
      id: uuidv7(),
      organizationId,
      name: `Lead ${i}`,
      createdAt: new Date(start + Math.floor(i / 5)), // five of each millisecond
    }));
    await storeLeads(database, data);
    const newestFirst = [...data].sort((a, b) => Number(b.createdAt) - Number(a.createdAt) || (a.id < b.id ? 1 : -1));

    const ids = await walk(api, { organizationId, limit: '3' }, () => takeIn(database, { organizationId }));
    expect(ids).toEqual(newestFirst.map(({ id }) => id));
  });

  test('keep to the filters', async ({ api, database }) => {
    const organizationId = newOrganization();
    for (let i = 0; i < 3; i += 1) await fill(database, organizationId);
    const ids = await walk(api, { organizationId, status: 'LOST', q: 'acme', limit: '2' }, () => Promise.resolve());
    expect(new Set(ids).size).toBe(9);
    expect(ids).toHaveLength(9);
  });

  test('end with null when the last page is full', async ({ api, database }) => {
    const organizationId = newOrganization();
    for (let i = 0; i < 2; i += 1) await takeIn(database, { organizationId });
    expect((await list(api, { organizationId, limit: '2' })).body.nextCursor).toBeNull();
    expect((await list(api, { organizationId, limit: '1' })).body.nextCursor).not.toBeNull();
  });

  test('hold 50 when no limit is given, and 100 at most', async ({ api, database }) => {
    const organizationId = newOrganization();
    const data = Array.from({ length: 101 }, (_, i) => ({ id: uuidv7(), organizationId, name: `Lead ${i}` }));
    await storeLeads(database, data);
    expect((await list(api, { organizationId })).body.items).toHaveLength(50);
    expect((await list(api, { organizationId, limit: '100' })).body.items).toHaveLength(100);
  });
});

const garbled = (position: unknown) => Buffer.from(JSON.stringify(position)).toString('base64url');
const REAL_CURSOR = encodeCursor({ at: new Date('2026-01-01T00:00:00.000Z'), id: uuidv7() });

describe('GET /api/leads refuses, and names the parameter:', () => {
  test.for([
    ['no organization', '', ['organizationId']],
    ['an empty organization', 'organizationId=', ['organizationId']],
    ['two organizations', 'organizationId=a&organizationId=b', ['organizationId']],
    ...['0', '101', '-1', 'abc', '1e1', '1.5', '', '%201', '9999999'].map((limit) => [
      `a limit of "${limit}"`,
      `organizationId=a&limit=${limit}`,
      ['limit'],
    ]),
    ['a limit given twice', 'organizationId=a&limit=1&limit=1', ['limit']],
    ['a parameter that is not known', 'organizationId=a&offset=5', ['offset']],
    ['a status that there is not', 'organizationId=a&status=lost', ['status']],
    ['a source that there is not', 'organizationId=a&source=TV', ['source']],
    ['a score band that there is not', 'organizationId=a&scoreBand=BOILING', ['scoreBand']],
    ['a state of an onboarding that there is not', 'organizationId=a&onboardingState=DONE', ['onboardingState']],
    ['an e-mail and a search', 'organizationId=a&email=a@b.example&q=a', ['q']],
    ['an order that there is not', 'organizationId=a&sort=name', ['sort']],
    ['changes in the order of creation', 'organizationId=a&updatedSince=2026-01-01T00:00:00Z', ['updatedSince']],
    ['changes since no time', 'organizationId=a&sort=updatedAt&updatedSince=yesterday', ['updatedSince']],
    ['changes since the year 0', 'organizationId=a&sort=updatedAt&updatedSince=0000-01-01T00:00:00Z', ['updatedSince']],
    [
      'filters of fields in the order of changes',
      'organizationId=a&sort=updatedAt&status=NEW&email=a@b.example&q=a',
      ['status', 'email', 'q'],
    ],
    ['a cursor of another order', `organizationId=a&sort=updatedAt&cursor=${REAL_CURSOR}`, ['cursor']],
    ['two states', 'organizationId=a&status=NEW&status=LOST', ['status']],
    ['an empty search', 'organizationId=a&q=', ['q']],
    ['a search with NUL', 'organizationId=a&q=%00', ['q']],
    ['a search of 201 characters', `organizationId=a&q=${'x'.repeat(201)}`, ['q']],
    ['an empty cursor', 'organizationId=a&cursor=', ['cursor']],
    ['a cursor that is no base64', 'organizationId=a&cursor=***', ['cursor']],
    ['a cursor with something behind it', `organizationId=a&cursor=${REAL_CURSOR}!`, ['cursor']],
    ['a cursor that is no position', `organizationId=a&cursor=${garbled({ at: 1 })}`, ['cursor']],
    ['a cursor of no time', `organizationId=a&cursor=${garbled(['soon', uuidv7()])}`, ['cursor']],
    [
      'a cursor of the year 0',
      `organizationId=a&cursor=${garbled(['0000-01-01T00:00:00.000Z', uuidv7()])}`,
      ['cursor'],
    ],
    ['a cursor of no lead', `organizationId=a&cursor=${garbled(['2026-01-01T00:00:00.000Z', '-'])}`, ['cursor']],
    ['a cursor of a timeline', `organizationId=a&cursor=${garbled(['2026-01-01T00:00:00.000Z', '1f'])}`, ['cursor']],
    ['a cursor of 201 characters', `organizationId=a&cursor=${'x'.repeat(201)}`, ['cursor']],
  ] as [string, string, string[]][])('%s', async ([, query, paths], { api }) => {
    expectProblem(await api.call('GET', `/api/leads?${query}`), 400, 'invalid-request', paths);
  });
});
