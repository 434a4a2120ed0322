import { randomUUID } from 'node:crypto';
import { describe, expect } from 'vitest';
import type { Lead } from '../../src/leads/lead.ts';
import { encodeCursor } from '../../src/db/paging.ts';
import { newLead, type Page, testWithoutStarts as test, type TestApi } from '../support/api.ts';
import type { TestDatabase } from '../support/database.ts';
import { takeIn } from '../support/onboarding.ts';
import { expectProblem } from '../support/problem.ts';

interface Entry {
  id: string;
  type: string;
  at: string;
  elapsedMs: number;
  data: Record<string, unknown>;
}

const timeline = (api: TestApi, leadId: string, query = '') =>
  api.call<Page<Entry>>('GET', `/api/leads/${leadId}/timeline${query}`);

/** Adds entries at these milliseconds after the lead's creation, in this order. */
async function addEntries({ prisma }: TestDatabase, leadId: string, offsets: number[]) {
  const { createdAt, organizationId } = await prisma.lead.findUniqueOrThrow({ where: { id: leadId } });
  for (const [i, offset] of offsets.entries()) {
    const at = new Date(createdAt.getTime() + offset);
    await prisma.leadEvent.create({ data: { id: randomUUID(), leadId, organizationId, type: `entry.${i}`, at } });
  }
}

describe('GET /api/leads/{id}/timeline', () => {
  test('tells what happened, the oldest first, with who asked', async ({ api }) => {
    const lead = newLead();
    const { body } = await api.call<Lead>('POST', '/api/leads', lead, { 'x-actor-id': 'user-7' });
    await api.call('POST', '/api/leads', { ...lead, source: 'ADS', attributes: { utm: 'x' } });
    await api.call('PATCH', `/api/leads/${body.id}`, { name: 'Maria' });

    const { status, body: page } = await timeline(api, body.id);
    expect(status).toBe(200);
    expect(page.nextCursor).toBeNull();
    expect(page.items).toMatchObject([
      {
        type: 'lead.created',
        at: body.createdAt,
        elapsedMs: 0,
        data: { leadId: body.id, metadata: { userId: 'user-7' } },
      },
      { type: 'lead.touched', data: { source: 'ADS', attributes: { utm: 'x' }, metadata: { userId: null } } },
      { type: 'lead.updated', data: { changes: { name: { from: lead.name, to: 'Maria' } } } },
    ]);
    for (const { at, elapsedMs } of page.items) {
      expect(elapsedMs).toBe(Date.parse(at) - Date.parse(body.createdAt));
    }
  });

  test('orders by time, and within a moment by what was written first', async ({ api, database }) => {
    const { leadId } = await takeIn(database);
    await addEntries(database, leadId, [30, 10, 20, 20, 20, 10]);
    const { body } = await timeline(api, leadId);
    expect(body.items.map(({ type, elapsedMs }) => `${type} ${elapsedMs}`)).toEqual([
      'lead.created 0',
      'entry.1 10',
      'entry.5 10',
      'entry.2 20',
      'entry.3 20',
      'entry.4 20',
      'entry.0 30',
    ]);
  });

  test('shows each entry on one page, also when entries are added meanwhile', async ({ api, database }) => {
    const { leadId } = await takeIn(database);
    await addEntries(database, leadId, [10, 10, 10, 10, 20, 20]);
    const types: string[] = [];
    let query = '?limit=2';
    for (let pages = 1; ; pages += 1) {
      const { body } = await timeline(api, leadId, query);
      types.push(...body.items.map(({ type }) => type));
      if (body.nextCursor === null) break;
      expect(body.items).toHaveLength(2);
      query = `?limit=2&cursor=${body.nextCursor}`;
      if (pages === 1) await addEntries(database, leadId, [1_000]);
    }
    expect(types).toEqual([
      'lead.created',
      'entry.0',
      'entry.1',
      'entry.2',
      'entry.3',
      'entry.4',
      'entry.5',
      'entry.0',
    ]);
  });

  test('holds 100 entries when no limit is given, and 500 at most', async ({ api, database }) => {
    const { leadId, organizationId } = await takeIn(database);
    const data = Array.from({ length: 500 }, () => ({ id: randomUUID(), leadId, organizationId, type: 'entry' }));
    await database.prisma.leadEvent.createMany({ data });
    expect((await timeline(api, leadId)).body.items).toHaveLength(100);
    const { body } = await timeline(api, leadId, '?limit=500');
    expect(body.items).toHaveLength(500);
    expect((await timeline(api, leadId, `?cursor=${body.nextCursor ?? ''}`)).body).toMatchObject({
      items: [{ type: 'entry' }],
      nextCursor: null,
    });
  });

  test('shows nothing of other leads', async ({ api, database }) => {
    const [one, other] = [await takeIn(database), await takeIn(database)];
    await addEntries(database, other.leadId, [10]);
    expect((await timeline(api, one.leadId)).body.items.map(({ type }) => type)).toEqual(['lead.created']);
  });

  test('answers 404 for a lead that there is not', async ({ api }) => {
    expectProblem(await timeline(api, randomUUID()), 404, 'not-found');
  });

  test.for([
    ['limit', 'limit=0'],
    ['limit', 'limit=501'],
    ['limit', 'limit=1e2'],
    ['limit', 'limit=5&limit=5'],
    ['cursor', 'cursor='],
    ['cursor', 'cursor=abc'],
    ['cursor', `cursor=${encodeCursor({ at: new Date(0), id: randomUUID() })}`],
    ['cursor', `cursor=${encodeCursor({ at: new Date(0), id: 'f'.repeat(16) })}`],
    ['type', 'type=lead.created'],
  ] as const)('refuses a wrong %s with 400: %s', async ([path, query], { api, database }) => {
    const { leadId } = await takeIn(database);
    expectProblem(await timeline(api, leadId, `?${query}`), 400, 'invalid-request', [path]);
  });
});
