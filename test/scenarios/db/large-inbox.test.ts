import { expect } from 'vitest';
import type { Prisma } from '../../../src/db/generated/client.ts';
import { listNotifications, markAllRead, markRead, readInbox } from '../../../src/notifications/inbox.ts';
import { inboxId } from '../../../src/notifications/inbox-id.ts';
import { query } from '../../db/support.ts';
import type { TestDatabase } from '../../support/database.ts';
import { createInbox } from '../../support/notifications.ts';
import { test } from '../../support/onboarding.ts';

const MILLION = 1_000_000;
/** Pages of 8 KB that a statement may look at; the notifications alone have more than 15,000. */
const MAX_PAGES = 500;

/** Does work in a transaction. @returns its answer, and how many pages of tables and indexes all of it has looked at */
async function pagesOf<T>({ prisma }: TestDatabase, work: (tx: Prisma.TransactionClient) => Promise<T>) {
  return prisma.$transaction(async (tx) => {
    const look = async () => {
      const [sum] = await tx.$queryRaw<{ pages: number }[]>`
        SELECT sum(pg_stat_get_xact_blocks_fetched(oid))::integer AS pages
        FROM pg_class WHERE relnamespace = 'public'::regnamespace`;
      return sum?.pages ?? 0;
    };
    const before = await look();
    const answer = await work(tx);
    return { answer, pages: (await look()) - before };
  });
}

/** An inbox with a million notifications that nobody has read. */
async function fill(database: TestDatabase) {
  const inbox = await createInbox(database);
  const { organizationId, userId, leadId } = inbox.compose();
  const id = inboxId(inbox.owner);
  await query(
    database.url,
    `SET session_replication_role = replica;
     INSERT INTO notification (id, number, organization_id, lead_id, user_id, assignment, title, message, action_url)
       SELECT lpad(to_hex(n), 32, '0')::uuid, n, '${organizationId}', '${leadId}', '${userId}', n, 'Novo Lead', 'Lead Ana', '/'
       FROM generate_series(1, ${MILLION}) AS n;
     INSERT INTO inbox (id, organization_id, last_number, unread_count)
       VALUES ('${id}', '${organizationId}', ${MILLION}, ${MILLION})`,
  );
  await query(database.url, 'VACUUM ANALYZE notification');
  return inbox;
}

test('an inbox of a million costs what a small one does, read by nobody, in part, and as a whole', async ({
  database,
}) => {
  const { owner } = await fill(database);
  const costs: Record<string, number> = {};
  const cost = async <T>(what: string, work: (tx: Prisma.TransactionClient) => Promise<T>) => {
    const { answer, pages } = await pagesOf(database, work);
    costs[what] = pages;
    return answer;
  };
  const lists = async (when: string) => {
    for (const unread of [undefined, true, false])
      await cost(`${when}: list, unread ${unread}`, (tx) => listNotifications(tx, owner, { limit: 100, unread }));
    await cost(`${when}: look of a stream`, (tx) => readInbox(tx, owner, MILLION, 100));
  };
  await lists('nobody has read');
  const middle = await database.prisma.notification.findFirstOrThrow({ where: { ...owner, number: MILLION / 2 } });
  await cost('read one', (tx) => markRead(tx, middle.id));
  await lists('one is read');
  expect(await cost('read all', (tx) => markAllRead(tx, owner))).toBe(MILLION - 1);
  await lists('all is read');
  console.log('pages looked at:', costs);
  for (const [what, pages] of Object.entries(costs)) expect(pages, what).toBeLessThan(MAX_PAGES);

  const { items, unreadCount } = await listNotifications(database.prisma, owner, { limit: 100, unread: false });
  expect(unreadCount).toBe(0);
  expect(items).toHaveLength(100);
  for (const { readAt } of items) expect(readAt).toMatch(/Z$/);
});
