import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import type { Position } from '../../src/events/position.ts';
import { CursorGone, readFeed } from '../../src/events/read-feed.ts';
import { projectRoot } from '../../src/local/project-root.ts';
import type { TestDatabase } from '../support/database.ts';
import { takeIn, test } from '../support/onboarding.ts';

const EVENTS = 10_000;
const WRITERS = 20;
const LONGEST_MS = 400;

/** Writes events in transactions short and long, of one to many events; some are rolled back. @returns what is committed */
async function write({ pool }: TestDatabase, leadId: string, count: number): Promise<string[]> {
  const committed: string[] = [];
  const client = await pool.connect();
  try {
    while (committed.length < count) {
      const some = 1 + Math.floor(Math.random() * 40);
      await client.query('BEGIN');
      const { rows } = await client.query<{ id: string }>(
        `INSERT INTO lead_event (id, lead_id, organization_id, type)
         SELECT gen_random_uuid(), $1, 'org-123', 'onboarding.started' FROM generate_series(1, $2) RETURNING id`,
        [leadId, some],
      );
      if (Math.random() < 0.2) await sleep(Math.random() * LONGEST_MS);
      const isKept = Math.random() > 0.1;
      await client.query(isKept ? 'COMMIT' : 'ROLLBACK');
      if (isKept) committed.push(...rows.map(({ id }) => id));
    }
  } finally {
    client.release();
  }
  return committed;
}

test('three readers, from cursors of their own, get each of 10,000 events once and in one order, while they are written', async ({
  database,
}) => {
  const { leadId } = await takeIn(database);
  let over = false;
  const feed = (after: Position | undefined, limit: number) =>
    readFeed(database.prisma, {
      organizationId: 'org-123',
      after,
      limit,
      withPersons: false,
    });
  /** Reads pages of all sizes until all is written and read. */
  const follow = async (after?: Position): Promise<{ ids: string[]; cursors: Position[] }> => {
    const [ids, cursors]: [string[], Position[]] = [[], []];
    for (let next = after; ;) {
      const wasOver = over;
      const page = await feed(next, 1 + Math.floor(Math.random() * 300));
      ids.push(...page.items.map(({ id }) => id));
      cursors.push(page.next);
      next = page.next;
      if (wasOver && !page.hasMore && page.items.length === 0) return { ids, cursors };
      if (!page.hasMore) await sleep(Math.random() * 50);
    }
  };

  const readers = [follow(), sleep(200).then(() => follow()), sleep(500).then(() => follow())];
  const written = (
    await Promise.all(Array.from({ length: WRITERS }, () => write(database, leadId, EVENTS / WRITERS)))
  ).flat();
  // A transaction of another test on this server may be older still: nothing is over before all can be seen.
  await expect.poll(async () => (await feed(undefined, EVENTS * 2)).items.length).toBe(written.length + 1);
  over = true;
  const [first, ...others] = await Promise.all(readers);
  expect(first?.ids).toHaveLength(written.length + 1); // the lead itself as well
  expect(new Set(first?.ids)).toEqual(new Set([first?.ids[0], ...written]));
  for (const other of others) expect(other.ids).toEqual(first?.ids);

  for (const place of [0.1, 0.5, 0.9]) {
    const cursor = first?.cursors[Math.floor(place * (first.cursors.length - 1))];
    const { ids } = await follow(cursor);
    expect(ids).toEqual(first?.ids.slice(first.ids.length - ids.length));
  }
});

test('after a restore from a dump all of it is there again, by what the handbook says', async ({ database }) => {
  const { pool, prisma } = database;
  await pool.query(`UPDATE lead_event SET xid = (pg_current_xact_id()::text::bigint + 1000000000)::text::xid8`);
  const read = (after?: Position) =>
    readFeed(prisma, { organizationId: 'org-123', after, limit: 5, withPersons: false });
  const lost = { xid: 2n ** 40n, seq: 1n };
  expect((await read()).items).toEqual([]);
  const handbook = await readFile(join(projectRoot(), 'docs/operations.md'), 'utf8');
  const [, statements = ''] = /## Backup[\s\S]*?```sql\n([\s\S]*?)```/.exec(handbook) ?? [];
  await pool.query(statements);
  const { items } = await read();
  expect(items).toHaveLength(5);
  await expect(read(lost)).rejects.toThrow(CursorGone);
});
