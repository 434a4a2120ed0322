import { describe, expect, onTestFinished, vi } from 'vitest';
import { createNotificationActivities } from '../../activities/notification.ts';
import { createPool } from '../../src/db/pool.ts';
import { freePort } from '../../src/local/ports.ts';
import { createInboxAnnouncer } from '../../src/notifications/announce.ts';
import { followInbox } from '../../src/notifications/follow.ts';
import { readInbox } from '../../src/notifications/inbox.ts';
import type { Inbox } from '../../src/notifications/inbox-id.ts';
import { Watcher } from '../../src/streams/watcher.ts';
import { refOf, runActivity } from '../support/activity.ts';
import { createInbox } from '../support/notifications.ts';
import { takeIn, test } from '../support/onboarding.ts';
import { recordStatements } from '../support/statements.ts';

const ORG = 'org-123';

describe('announcing inboxes', () => {
  test('tells what has changed within a while in one statement, each inbox once', async ({ database }) => {
    const statements = recordStatements();
    const told = () => statements.filter(({ text }) => text.includes('pg_notify')).map(({ values }) => values[0]);
    const announcer = createInboxAnnouncer(database.pool);
    announcer.announce({ organizationId: ORG, userId: 'user-0' });
    for (let i = 0; i < 100; i += 1) announcer.announce({ organizationId: ORG, userId: `user-${i % 10}` });
    announcer.announce({ organizationId: ORG, userId: 'user-10' });
    await announcer.idle();
    expect(told()).toEqual([expect.any(Array), expect.any(Array)]);
    expect(told().map((ids) => (ids as string[]).length)).toEqual([1, 11]);
  });

  test('minds no database that is away', async () => {
    const connectionString = `postgresql://127.0.0.1:${await freePort()}/leads`;
    const unreachable = createPool({ connectionString, max: 1, applicationName: 'inbox', onError: () => undefined });
    onTestFinished(() => unreachable.end());
    const announcer = createInboxAnnouncer(unreachable);
    announcer.announce({ organizationId: ORG, userId: 'user-1' });
    await announcer.idle();
  });
});

describe('a notify step', () => {
  test('holds the inbox for its one statement, and announces it after that', async ({ database }) => {
    const order = await takeIn(database);
    const announcer = createInboxAnnouncer(database.pool);
    const { notifyAssignee } = createNotificationActivities({ ...database, announcer });
    const statements = recordStatements();
    await runActivity(notifyAssignee, refOf(order));
    await announcer.idle();
    expect(statements.map(({ text }) => /\w+(?=\()/.exec(text)?.[0])).toEqual(['notify_assignee', 'pg_notify']);
    const { rows } = await database.pool.query(
      `SELECT tgname FROM pg_trigger JOIN pg_proc ON pg_proc.oid = tgfoid WHERE prosrc ILIKE '%notify(%'`,
    );
    expect(rows, 'triggers that notify in the transaction of the change').toEqual([]);
  });

  test('that runs again announces what the run before it had no time to', async ({ database }) => {
    const order = await takeIn(database);
    const announced: Inbox[] = [];
    const announcer = { announce: (inbox: Inbox) => void announced.push(inbox) };
    await runActivity(createNotificationActivities(database).notifyAssignee, refOf(order));
    const { notifyAssignee } = createNotificationActivities({ ...database, announcer });
    await runActivity(notifyAssignee, refOf(order), 2);
    expect(announced).toEqual([{ organizationId: order.organizationId, userId: 'user-456' }]);
  });
});

describe('a follower', () => {
  test('finds at its own look what was never announced', async ({ database }) => {
    const inbox = await createInbox(database);
    const watcher = new Watcher();
    vi.spyOn(watcher, 'next').mockResolvedValue('quiet'); // as after a while in which nothing was said
    const read = (after: number) => readInbox(database.prisma, inbox.owner, after, 100);
    const changes = followInbox({ read, after: 0, unreadCount: 0, watcher });
    expect((await changes.next()).value).toBeUndefined();
    const id = await inbox.store();
    expect((await changes.next()).value).toMatchObject({ items: [{ notification: { id } }], unreadCount: 1 });
    await changes.return();
  });
});
