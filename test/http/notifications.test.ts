import { randomUUID } from 'node:crypto';
import { uuidv7 } from 'uuidv7';
import { describe, expect } from 'vitest';
import { createNotificationActivities } from '../../activities/notification.ts';
import { refOf, runActivity } from '../support/activity.ts';
import { type Page, testWithoutStarts as test, type TestApi } from '../support/api.ts';
import type { TestDatabase } from '../support/database.ts';
import { takeIn } from '../support/onboarding.ts';
import { expectProblem } from '../support/problem.ts';

interface Notification {
  id: string;
  leadId: string;
  createdAt: string;
  readAt: string | null;
}
type InboxPage = Page<Notification> & { unreadCount: number };

let users = 0;
const newInbox = () => ({ organizationId: 'org-123', userId: `user-n-${(users += 1)}` });
type Inbox = ReturnType<typeof newInbox>;

const list = (api: TestApi, inbox: Inbox, query: Record<string, string> = {}) =>
  api.call<InboxPage>('GET', `/api/notifications?${new URLSearchParams({ ...inbox, ...query }).toString()}`);
const read = (api: TestApi, id: string) => api.call<Notification>('POST', `/api/notifications/${id}/read`);
const idsOf = ({ body }: { body: InboxPage }) => body.items.map(({ id }) => id);

/** Fills an inbox. @returns the ids, the newest first. */
async function fill({ prisma, ...database }: TestDatabase, inbox: Inbox, count = 1): Promise<string[]> {
  const { leadId } = await takeIn({ prisma, ...database }, { organizationId: inbox.organizationId });
  const data = Array.from({ length: count }, (_, i) => ({
    ...inbox,
    id: uuidv7(),
    leadId,
    assignment: i + 1,
    title: 'Novo Lead',
    message: 'Lead João Silva foi criado e atribuído a você',
    actionUrl: `/dashboard/leads/${leadId}`,
  }));
  await prisma.notification.createMany({ data });
  return data.map(({ id }) => id).reverse();
}

describe('GET /api/notifications', () => {
  test('shows what the assignee of a lead is told', async ({ api, database }) => {
    const inbox = newInbox();
    const order = await takeIn(database, { assignedTo: inbox.userId });
    await runActivity(createNotificationActivities(database).notifyAssignee, refOf(order));
    const { status, body } = await list(api, inbox);
    expect(status).toBe(200);
    expect(body).toEqual({
      items: [
        {
          id: expect.stringMatching(/^[\da-f-]{36}$/) as string,
          leadId: order.leadId,
          userId: inbox.userId,
          type: 'INFO',
          title: 'Novo Lead',
          message: 'Lead João Silva foi criado e atribuído a você',
          actionUrl: `/dashboard/leads/${order.leadId}`,
          createdAt: expect.stringMatching(/Z$/) as string,
          readAt: null,
        },
      ],
      nextCursor: null,
      unreadCount: 1,
      lastNumber: 1,
    });
  });

  test('lists the newest first, page by page, each once, and counts all that is unread on each page', async ({
    api,
    database,
  }) => {
    const inbox = newInbox();
    const ids = await fill(database, inbox, 7);
    const seen: string[] = [];
    for (let cursor: string | null = ''; cursor !== null;) {
      const { body }: { body: InboxPage } = await list(api, inbox, { limit: '2', ...(cursor && { cursor }) });
      expect(body.unreadCount).toBe(7);
      seen.push(...body.items.map(({ id }) => id));
      cursor = body.nextCursor;
    }
    expect(seen).toEqual(ids);
  });

  test('shows only the unread or only the read ones when asked to', async ({ api, database }) => {
    const inbox = newInbox();
    const [newest = '', middle = '', oldest = ''] = await fill(database, inbox, 3);
    await read(api, middle);
    expect(idsOf(await list(api, inbox))).toEqual([newest, middle, oldest]);
    expect(await list(api, inbox, { unread: 'true' })).toMatchObject({
      body: { items: [{ id: newest }, { id: oldest }], unreadCount: 2 },
    });
    expect(await list(api, inbox, { unread: 'false' })).toMatchObject({
      body: { items: [{ id: middle }], unreadCount: 2 },
    });
  });

  test('keeps to the organization and the user', async ({ api, database }) => {
    const inbox = newInbox();
    const [mine] = await fill(database, inbox);
    await fill(database, { ...inbox, organizationId: 'org-456' });
    await fill(database, newInbox());
    expect(await list(api, inbox)).toMatchObject({ body: { items: [{ id: mine }], unreadCount: 1 } });
    expect((await list(api, newInbox())).body).toEqual({ items: [], nextCursor: null, unreadCount: 0, lastNumber: 0 });
  });

  test('holds 50 when no limit is given, and 100 at most', async ({ api, database }) => {
    const inbox = newInbox();
    await fill(database, inbox, 101);
    expect((await list(api, inbox)).body.items).toHaveLength(50);
    const { body } = await list(api, inbox, { limit: '100' });
    expect([body.items.length, body.unreadCount]).toEqual([100, 101]);
  });

  test.for([
    ['organizationId', { organizationId: '' }],
    ['userId', { userId: '' }],
    ['unread', { unread: 'yes' }],
    ['unread', { unread: '1' }],
    ['limit', { limit: '101' }],
    ['limit', { limit: '0' }],
    ['cursor', { cursor: 'abc' }],
    ['page', { page: '2' }],
  ] as [string, Record<string, string>][])('refuses a wrong %s with 400: %o', async ([path, query], { api }) => {
    expectProblem(await list(api, newInbox(), query), 400, 'invalid-request', [path]);
  });

  test.for([
    ['organizationId', 'userId=user-1'],
    ['userId', 'organizationId=org-1'],
  ] as const)('refuses to guess the %s with 400', async ([missing, query], { api }) => {
    expectProblem(await api.call('GET', `/api/notifications?${query}`), 400, 'invalid-request', [missing]);
    expectProblem(await api.call('POST', `/api/notifications/read-all?${query}`), 400, 'invalid-request', [missing]);
  });
});

describe('POST /api/notifications/{id}/read', () => {
  test('marks one as read, and keeps the time of the first', async ({ api, database }) => {
    const inbox = newInbox();
    const [id = '', other = ''] = await fill(database, inbox, 2);
    const first = await read(api, id);
    expect(first).toMatchObject({ status: 200, body: { id, readAt: expect.stringMatching(/Z$/) as string } });
    const second = await read(api, id);
    expect(second).toMatchObject({ status: 200, body: first.body });
    expect(await list(api, inbox)).toMatchObject({
      body: { items: [first.body, { id: other, readAt: null }], unreadCount: 1 },
    });
  });

  test('answers 404 for a notification that there is not', async ({ api }) => {
    expectProblem(await read(api, randomUUID()), 404, 'not-found');
  });
});

describe('POST /api/notifications/read-all', () => {
  const readAll = (api: TestApi, inbox: Inbox) =>
    api.call('POST', `/api/notifications/read-all?${new URLSearchParams(inbox).toString()}`);

  test('marks the unread ones of the inbox, keeps the times of the others, and tells how many', async ({
    api,
    database,
  }) => {
    const inbox = newInbox();
    const [id = ''] = await fill(database, inbox, 3);
    const { readAt } = (await read(api, id)).body;
    expect(await readAll(api, inbox)).toMatchObject({ status: 200, body: { marked: 2 } });
    const { body } = await list(api, inbox);
    expect(body.unreadCount).toBe(0);
    expect(body.items[0]?.readAt).toBe(readAt);
    expect(body.items.filter((item) => item.readAt === null)).toEqual([]);
    expect(await readAll(api, inbox)).toMatchObject({ status: 200, body: { marked: 0 } });
  });

  test('leaves the inboxes of others alone', async ({ api, database }) => {
    const inbox = newInbox();
    const others = [{ ...inbox, organizationId: 'org-456' }, newInbox()];
    for (const owner of [inbox, ...others]) await fill(database, owner);
    await readAll(api, inbox);
    for (const other of others) expect((await list(api, other)).body.unreadCount).toBe(1);
  });
});
