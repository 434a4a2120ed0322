import { describe, expect } from 'vitest';
import type { Event } from '../../src/events/event.ts';
import type { Lead } from '../../src/leads/lead.ts';
import { type Call, newLead } from '../support/api.ts';
import type { TestDatabase } from '../support/database.ts';
import { type KeyedApi, makeKey, testWithoutStarts as test } from '../support/keyed-api.ts';
import { expectProblem } from '../support/problem.ts';

interface Feed {
  items: Event[];
  nextCursor: string;
  hasMore: boolean;
}

const read = async (call: Call, query = '') => (await call<Feed>('GET', `/api/events${query}`)).body;

/** Reads until there are so many events: one appears once nothing of before it is under way, in any test. */
async function readAll(call: Call, count: number, query = ''): Promise<Event[]> {
  let items: Event[] = [];
  await expect
    .poll(async () => (items = (await read(call, `?limit=500${query}`)).items).length)
    .toBeGreaterThanOrEqual(count);
  return items;
}

let organizations = 0;

/** An organization that nothing has happened to, and who calls for it. */
async function found({ keyed, database }: { keyed: KeyedApi; database: TestDatabase }) {
  organizations += 1;
  const organizationId = `org-${organizations}`;
  const call = keyed.as(await makeKey(database, { organizationId }));
  const post = async (change = {}) =>
    (await call<Lead>('POST', '/api/leads', newLead({ organizationId, ...change }))).body;
  return { organizationId, call, post };
}

const typesOf = (items: Event[]) => items.map(({ type }) => type);

describe('GET /api/events', () => {
  test('tells what happened to the leads of the organization, and of no other', async ({ keyed, database }) => {
    const { call, post } = await found({ keyed, database });
    const other = await found({ keyed, database });
    const lead = await post({ name: 'João Silva' });
    await other.post();
    await call('PATCH', `/api/leads/${lead.id}`, { name: 'Maria', assignedTo: 'user-9' });

    const items = await readAll(call, 3);
    expect(items).toEqual([
      {
        id: expect.any(String) as string,
        type: 'lead.created',
        version: 1,
        at: lead.createdAt,
        leadId: lead.id,
        cursor: expect.stringMatching(/^\d+-\d+$/) as string,
        data: { source: 'WEBSITE', status: 'NEW', assignedTo: 'user-456', name: 'João Silva', email: lead.email },
      },
      expect.objectContaining({
        type: 'lead.updated',
        data: { fields: ['name'], changes: { name: { from: 'João Silva', to: 'Maria' } } },
      }),
      expect.objectContaining({ type: 'lead.assigned', data: { from: 'user-456', to: 'user-9' } }),
    ]);
    expect(await readAll(other.call, 1)).toMatchObject([{ type: 'lead.created' }]);
  });

  test('tells nothing of persons to a key that may not read leads', async ({ keyed, database }) => {
    const { organizationId, call: all, post } = await found({ keyed, database });
    const lead = await post();
    await post({ email: lead.email, phone: '+55 11 98765-4321' });
    await all('PATCH', `/api/leads/${lead.id}`, { name: 'Maria' });
    await readAll(all, 3);

    const call = keyed.as(await makeKey(database, { organizationId, scopes: ['events'] }));
    const { status, text, body } = await call<Feed>('GET', '/api/events');
    expect(status).toBe(200);
    expect(typesOf(body.items)).toEqual(['lead.created', 'lead.touched', 'lead.updated']);
    expect(body.items[2]?.data).toEqual({ fields: ['name'] });
    expect(text).not.toMatch(/João|joao|Maria|98765-?4321/);
    const without = keyed.as(await makeKey(database, { organizationId, scopes: ['leads:read'] }));
    expectProblem(await without('GET', '/api/events'), 403, 'forbidden');
  });

  test('goes on after a cursor: each event once, also where only some types are asked for', async ({
    keyed,
    database,
  }) => {
    const { call, post } = await found({ keyed, database });
    for (let i = 0; i < 5; i += 1) {
      const lead = await post();
      await call('PATCH', `/api/leads/${lead.id}`, { name: `Maria ${i}` });
    }
    const all = await readAll(call, 10);
    const seen: Event[] = [];
    let page = await read(call, '?limit=3');
    for (;;) {
      seen.push(...page.items);
      if (!page.hasMore) break;
      expect(page.nextCursor).toBe(page.items.at(-1)?.cursor);
      page = await read(call, `?limit=3&after=${page.nextCursor}`);
    }
    expect(seen).toEqual(all);

    const created = await read(call, '?types=lead.created,lead.erased&limit=2');
    expect(created).toMatchObject({ items: [{ type: 'lead.created' }, { type: 'lead.created' }], hasMore: true });
    const rest = await read(call, `?types=lead.created&after=${created.nextCursor}`);
    expect(typesOf(rest.items)).toEqual(['lead.created', 'lead.created', 'lead.created']);
    expect(rest.hasMore).toBe(false);

    const nothing = await read(call, `?after=${rest.nextCursor}`);
    expect(nothing).toMatchObject({ items: [], hasMore: false });
    const late = await post();
    const [event] = await readAll(call, 1, `&after=${nothing.nextCursor}`);
    expect(event).toMatchObject({ type: 'lead.created', leadId: late.id });
  });

  test('has of an erased lead that it was erased, and nothing else', async ({ keyed, database }) => {
    const { organizationId, call, post } = await found({ keyed, database });
    const lead = await post();
    await call('PATCH', `/api/leads/${lead.id}`, { name: 'Maria' });
    await readAll(call, 2);
    await call('DELETE', `/api/leads/${lead.id}`);
    await expect.poll(async () => typesOf((await read(call)).items)).toEqual(['lead.erased']);
    // What one transaction was too small for is there until a relay deletes it.
    await database.pool.query(
      `INSERT INTO lead_event (id, lead_id, organization_id, type, data)
       VALUES (gen_random_uuid(), $1, $2, 'lead.touched', '{"name": "Maria"}')`,
      [lead.id, organizationId],
    );
    await expect.poll(async () => (await read(call, '?types=lead.touched,lead.erased')).hasMore).toBe(false);
    expect(typesOf((await read(call)).items)).toEqual(['lead.erased']);
  });

  test('is given out for 30 days: an older cursor is told so', async ({ keyed, database }) => {
    const { call, post } = await found({ keyed, database });
    await post();
    const [old] = await readAll(call, 1);
    /** As if the feed had come as far as it has now so many days ago. */
    const tick = (days: number) =>
      database.pool.query(
        `INSERT INTO feed_clock (at, xid) VALUES (now() - $1 * interval '1 day', pg_snapshot_xmin(pg_current_snapshot()))`,
        [days],
      );
    await tick(29);
    expect((await read(call)).items).toEqual([old]);
    await tick(30);
    expect((await read(call)).items).toEqual([]);
    expectProblem(await call('GET', `/api/events?after=${old?.cursor}`), 410, 'cursor-gone');
    const young = await post();
    expect(await readAll(call, 1)).toMatchObject([{ leadId: young.id }]);
    await database.pool.query('DELETE FROM feed_clock');
  });

  test('tells a cursor of another database that it is of no use', async ({ keyed, database }) => {
    const { call } = await found({ keyed, database });
    expectProblem(await call('GET', `/api/events?after=${2n ** 64n - 1n}-1`), 410, 'cursor-gone');
    for (const after of ['', 'x', '1', '1-', '-1-1', `${2n ** 64n}-1`, `1-${2n ** 63n}`]) {
      expectProblem(await call('GET', `/api/events?after=${after}`), 400, 'invalid-request', ['after']);
    }
    expectProblem(await call('GET', '/api/events?types=lead.sold'), 400, 'invalid-request', ['types[0]']);
  });
});
