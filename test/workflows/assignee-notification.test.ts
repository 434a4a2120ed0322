import { describe, expect } from 'vitest';
import { updateLead } from '../../src/leads/update.ts';
import { assigneeNotificationWorkflowId } from '../../workflows/contract.ts';
import { recordLog } from '../support/log.ts';
import { test } from '../support/onboarding.ts';
import { carrierTo, relayOnce } from '../support/relay.ts';
import { createTestClient, replay } from '../support/temporal.ts';

const caller = { userId: 'user-1', ipAddress: null, userAgent: null, requestId: 'request-1' };

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
});
