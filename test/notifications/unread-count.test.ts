import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { uuidv7 } from 'uuidv7';
import { describe, expect } from 'vitest';
import { listNotifications, markAllRead, markRead } from '../../src/notifications/inbox.ts';
import { inboxId } from '../../src/notifications/inbox-id.ts';
import { connectionStringOf } from '../../src/local/postgres/postgres.ts';
import { eraseLead } from '../../src/personal-data/erase.ts';
import { MIGRATIONS, query, unborn } from '../db/support.ts';
import type { TestDatabase } from '../support/database.ts';
import { createInbox, type TestInbox } from '../support/notifications.ts';
import { test } from '../support/onboarding.ts';

const MIGRATION = '20261129000200_inbox';
const erasure = { reason: 'request', requestId: 'request-1', origin: {}, orderDelayMs: 0 } as const;

/** What the inbox counts, and what there is to count. */
async function counts({ prisma }: TestDatabase, { owner }: TestInbox) {
  const box = await prisma.inbox.findUniqueOrThrow({ where: { id: inboxId(owner) } });
  const there = await prisma.notification.count({
    where: { ...owner, readAt: null, number: { gt: box.readUpTo } },
  });
  return { counted: box.unreadCount, there };
}

const both = (count: number) => ({ counted: count, there: count });

describe('the count of what is unread', () => {
  test('goes with every way in which notifications come, are read and go', async ({ database }) => {
    const { prisma, pool } = database;
    const inbox = await createInbox(database);
    const ids = [];
    for (let i = 0; i < 6; i += 1) ids.push(await inbox.add());
    const [first = '', second = '', third = ''] = ids;
    expect(await counts(database, inbox)).toEqual(both(6));

    await markRead(prisma, first);
    await markRead(prisma, first);
    expect(await counts(database, inbox)).toEqual(both(5));
    await prisma.notification.delete({ where: { id: first } });
    await prisma.notification.delete({ where: { id: second } });
    expect(await counts(database, inbox)).toEqual(both(4));
    await pool.query('UPDATE notification SET delivered_at = now()');
    expect(await counts(database, inbox)).toEqual(both(4));

    expect(await markAllRead(prisma, inbox.owner)).toBe(4);
    await markRead(prisma, third);
    await prisma.notification.delete({ where: { id: third } });
    expect(await counts(database, inbox)).toEqual(both(0));

    await prisma.notification.createMany({ data: [inbox.compose(), inbox.compose()] });
    expect(await counts(database, inbox)).toEqual(both(2));
    await pool.query('UPDATE notification SET read_at = now() WHERE user_id = $1', [inbox.owner.userId]); // code of before
    expect(await counts(database, inbox)).toEqual(both(0));
    await inbox.add();
    expect(await markAllRead(prisma, inbox.owner)).toBe(1);
  });

  test('does not count what an insert left out as a duplicate', async ({ database }) => {
    const inbox = await createInbox(database);
    const data = inbox.compose();
    await database.prisma.notification.create({ data });
    await database.prisma.notification.createMany({ data: { ...data, id: uuidv7() }, skipDuplicates: true });
    expect(await counts(database, inbox)).toEqual(both(1));
  });

  test('goes with erased leads, also those of several inboxes at once', async ({ database }) => {
    const { prisma } = database;
    const [one, other] = [await createInbox(database), await createInbox(database)];
    await one.add();
    await other.add();
    for (const { owner } of [one, other]) await prisma.notification.create({ data: { ...one.compose(), ...owner } });
    expect(await counts(database, one)).toEqual(both(2));
    const { leadId } = one.compose();
    await prisma.$transaction((tx) => eraseLead(tx, leadId, erasure));
    expect([await counts(database, one), await counts(database, other)]).toEqual([both(0), both(1)]);
    await prisma.leadRecord.delete({ where: { id: other.compose().leadId } });
    expect(await counts(database, other)).toEqual(both(0));
  });

  test('is right after many have written, read and erased beside each other', async ({ database }) => {
    const { prisma } = database;
    const inbox = await createInbox(database);
    const write = async () => {
      for (let i = 0; i < 10; i += 1) {
        const id = await inbox.add();
        if (i % 3 === 0) await markRead(prisma, id);
        if (i % 4 === 0) await markAllRead(prisma, inbox.owner);
        if (i % 5 === 0) await prisma.notification.delete({ where: { id } });
      }
    };
    await Promise.all(Array.from({ length: 8 }, write));
    const { counted, there } = await counts(database, inbox);
    expect(counted).toBe(there);
  });

  test('starts with what was there before it was kept, in the organization of the next notification if there was none', async () => {
    await using database = unborn();
    const { port, pathname } = new URL(database.url);
    await query(connectionStringOf(Number(port)), `CREATE DATABASE ${pathname.slice(1)}`);
    const apply = async (name: string) =>
      query(database.url, await readFile(join(MIGRATIONS, name, 'migration.sql'), 'utf8'));
    const migrations = (await readdir(MIGRATIONS)).filter((name) => /^\d/.test(name)).sort();
    for (const name of migrations.filter((other) => other < MIGRATION)) await apply(name);
    const lead = '01a20ab0-4317-747b-b291-bb576de0a101';
    await query(database.url, `INSERT INTO lead (id, organization_id, name) VALUES ('${lead}', 'org-1', 'Ana')`);
    const insert = (assignment: number, user: string, readAt = 'NULL') =>
      query(
        database.url,
        `INSERT INTO notification (id, organization_id, lead_id, user_id, assignment, title, message, action_url, read_at)
         VALUES (gen_random_uuid(), 'org-1', '${lead}', '${user}', ${assignment}, '', '', '', ${readAt})`,
      );
    for (const [assignment, readAt] of [[1], [2, 'now()'], [3]] as const) await insert(assignment, 'user-1', readAt);
    await insert(4, 'user-2');
    await query(database.url, `DELETE FROM notification WHERE user_id = 'user-2'`);
    await apply(MIGRATION);
    const inboxes = () =>
      query(
        database.url,
        `SELECT organization_id AS org, last_number AS last, unread_count AS unread FROM inbox ORDER BY last_number DESC`,
      );
    expect(await inboxes()).toEqual([
      { org: 'org-1', last: 3, unread: 2 },
      { org: '', last: 1, unread: 0 },
    ]);
    await insert(5, 'user-2');
    expect((await inboxes())[1]).toEqual({ org: 'org-1', last: 2, unread: 1 });
  });
});

describe('an inbox that was read as a whole, again and again', () => {
  test('shows for each when it was first read, in every list', async ({ database }) => {
    const { prisma } = database;
    const inbox = await createInbox(database);
    const list = async (unread?: boolean) => {
      const { items } = await listNotifications(prisma, inbox.owner, { limit: 10, unread });
      return items.map(({ id, readAt }) => ({ id, readAt }));
    };
    const [a, b] = [await inbox.add(), await inbox.add()];
    const alone = (await markRead(prisma, b)).notification.readAt;
    await markAllRead(prisma, inbox.owner);
    const [c, d] = [await inbox.add(), await inbox.add()];
    await markAllRead(prisma, inbox.owner);
    const [e, f] = [await inbox.add(), await inbox.add()];
    const last = (await markRead(prisma, f)).notification.readAt;

    const [firstTime, secondTime] = (
      await prisma.inboxReading.findMany({ where: { inboxId: inboxId(inbox.owner) }, orderBy: { upTo: 'asc' } })
    ).map(({ at }) => at.toISOString());
    const read = [
      { id: d, readAt: secondTime },
      { id: c, readAt: secondTime },
      { id: b, readAt: alone },
      { id: a, readAt: firstTime },
    ];
    expect(await list()).toEqual([{ id: f, readAt: last }, { id: e, readAt: null }, ...read]);
    expect(await list(true)).toEqual([{ id: e, readAt: null }]);
    expect(await list(false)).toEqual([{ id: f, readAt: last }, ...read]);
    expect((await markRead(prisma, a)).notification.readAt).toBe(firstTime);

    const seen: string[] = [];
    for (let cursor: string | undefined = ''; cursor !== undefined;) {
      const page = await listNotifications(prisma, inbox.owner, {
        limit: 2,
        unread: false,
        cursor: cursor || undefined,
      });
      seen.push(...page.items.map(({ id }) => id));
      cursor = page.nextCursor ?? undefined;
    }
    expect(seen).toEqual([f, d, c, b, a]);
  });
});
