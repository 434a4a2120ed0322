import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect } from 'vitest';
import { updateLead } from '../../src/leads/update.ts';
import { assigneeNotificationWorkflowId } from '../../workflows/contract.ts';
import { follow } from '../support/event-source.ts';
import { recordLog } from '../support/log.ts';
import { test } from '../support/onboarding.ts';
import { carrierTo, relayOnce } from '../support/relay.ts';
import { startStreamApi } from '../support/stream-api.ts';
import { createTestClient, replay } from '../support/temporal.ts';

const caller = { keyId: null, userId: 'user-1', ipAddress: null, userAgent: null, requestId: 'request-1' };

describe('assigneeNotification', () => {
  test('tells a later assignee once, after the onboarding is over as well', async ({ database, onboard }) => {
    const client = createTestClient();
    const { log } = recordLog();
    const run = await onboard();
    await run.handle.result();
    await database.pool.query('DELETE FROM outbox');
    await updateLead(database.prisma, run.leadId, { assignedTo: 'user-789' }, caller);

    await relayOnce({ pool: database.pool, log, carryOut: carrierTo(client) });
    expect(await database.prisma.outbox.count()).toBe(0);
    const handle = client.workflow.getHandle(assigneeNotificationWorkflowId(run.leadId, 2));
    expect(await handle.result()).toEqual({ outcome: 'created' });

    const inbox = await database.prisma.notification.findMany({
      where: { leadId: run.leadId },
      orderBy: { assignment: 'asc' },
    });
    expect(inbox.map(({ userId }) => userId)).toEqual(['user-456', 'user-789']);
    expect((await run.timeline()).slice(-2)).toEqual(['lead.assigned', 'notification.created']);
    await replay(handle);
    await client.connection.close();
  });

  test('comes up once in the stream of the new assignee, and not in that of the old one', async ({
    database,
    onboard,
  }) => {
    const { log } = recordLog();
    const client = createTestClient();
    const run = await onboard({ lead: { assignedTo: 'user-old' } });
    await run.handle.result();
    const api = await startStreamApi(database.url);
    const streamOf = (userId: string) =>
      follow(`${api.server.url}/api/notifications/stream?organizationId=org-123&userId=${userId}&after=0`);
    const [before, after] = [streamOf('user-old'), streamOf('user-new')];
    await expect.poll(() => before.notifications().length).toBe(1);

    await database.pool.query('DELETE FROM outbox');
    await api.call('PATCH', `/api/leads/${run.leadId}`, { assignedTo: 'user-new' });
    await api.call('PATCH', `/api/leads/${run.leadId}`, { assignedTo: 'user-new' });
    const [order] = await database.prisma.outbox.findMany();
    const relay = () => relayOnce({ pool: database.pool, log, carryOut: carrierTo(client) });
    await relay();
    if (order) await database.prisma.outbox.create({ data: { ...order, payload: order.payload ?? {} } });
    await relay(); // once more, as after a relay that died before it could note that it was done
    await client.workflow.getHandle(assigneeNotificationWorkflowId(run.leadId, 2)).result();
    await client.connection.close();

    await expect.poll(() => after.notifications().length).toBe(1);
    await sleep(500);
    expect(after.notifications()).toMatchObject([{ id: '1', data: { leadId: run.leadId, userId: 'user-new' } }]);
    expect(before.notifications()).toHaveLength(1);
    expect(after.unreadCounts().at(-1)).toBe(1);
  });
});
