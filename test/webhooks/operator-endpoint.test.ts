import { randomUUID } from 'node:crypto';
import { expect } from 'vitest';
import { keepOperatorEndpoint } from '../../src/webhooks/operator-endpoint.ts';
import { wakeEndpoints } from '../../src/webhooks/wake.ts';
import { recordLog } from '../support/log.ts';
import { takeIn, test } from '../support/onboarding.ts';
import { carrierTo } from '../support/relay.ts';
import { createTestClient } from '../support/temporal.ts';
import { startWebhookReceiver } from '../support/webhook-receiver.ts';
import { startWorkers } from '../support/workers.ts';

test('another NOTIFICATION_WEBHOOK_URL is told at once, whatever the one before failed at', async ({ database }) => {
  const webhook = { url: 'http://127.0.0.1:9/one', secret: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw' };
  const failing = { failures: 9, failingSince: new Date(0), nextAt: new Date(Date.now() + 3_600_000) };
  const read = () => database.prisma.webhookEndpoint.findFirstOrThrow();
  await keepOperatorEndpoint(database.prisma, webhook);
  await database.prisma.webhookEndpoint.updateMany({ data: failing });
  await keepOperatorEndpoint(database.prisma, webhook);
  expect(await read()).toMatchObject(failing);
  await keepOperatorEndpoint(database.prisma, { ...webhook, url: 'http://127.0.0.1:9/another' });
  const { nextAt, ...now } = await read();
  expect(now).toMatchObject({ failures: 0, failingSince: null });
  expect(nextAt.getTime()).toBeLessThanOrEqual(failing.nextAt.getTime() - 3_000_000);
  await keepOperatorEndpoint(database.prisma, undefined);
});

test('NOTIFICATION_WEBHOOK_URL is told of the notifications of all organizations, in the words of before', async ({
  database,
}) => {
  const { webhook, received, reactOnce } = await startWebhookReceiver();
  // Of before there were endpoints: one that was delivered, and one that was not.
  const [delivered, undelivered] = [await takeIn(database), await takeIn(database)];
  for (const { leadId, organizationId } of [delivered, undelivered]) {
    const text = { title: 'Novo Lead', message: 'Lead Ana', actionUrl: '/' };
    const mark = leadId === delivered.leadId ? { deliveredAt: new Date() } : {};
    const notification = { id: randomUUID(), leadId, organizationId, userId: 'user-1', assignment: 1 };
    await database.prisma.notification.create({ data: { ...notification, ...text, ...mark } });
  }
  await keepOperatorEndpoint(database.prisma, webhook);
  await keepOperatorEndpoint(database.prisma, webhook); // each worker process does

  const client = createTestClient();
  const { log, lines } = recordLog();
  const workers = await startWorkers(database, log);
  const wake = () => wakeEndpoints({ pool: database.pool, client });
  try {
    reactOnce({ status: 500 });
    const orders = [await takeIn(database), await takeIn(database, { organizationId: 'org-other' })];
    for (const order of orders) await carrierTo(client)(order);
    const told = async () => {
      await wake();
      await database.pool.query('UPDATE webhook_delivery SET next_at = now()');
      return new Set(received.map(({ event }) => event.data['leadId']));
    };
    await expect.poll(told).toEqual(new Set([undelivered, ...orders].map(({ leadId }) => leadId)));

    const { createdAt, ...row } = await database.prisma.notification.findFirstOrThrow({
      where: { organizationId: 'org-other' },
    });
    const receipt = received.find(({ event }) => event.data['leadId'] === row.leadId);
    expect(receipt).toMatchObject({
      id: row.id,
      event: {
        type: 'notification.created',
        timestamp: createdAt.toISOString(),
        data: {
          id: row.id,
          organizationId: 'org-other',
          leadId: row.leadId,
          userId: 'user-456',
          type: 'INFO',
          title: 'Novo Lead',
          message: 'Lead João Silva foi criado e atribuído a você',
          actionUrl: row.actionUrl,
          createdAt: createdAt.toISOString(),
        },
      },
    });
    for (const { leadId: id } of orders) {
      const state = async () => (await database.prisma.lead.findUniqueOrThrow({ where: { id } })).onboardingState;
      await expect.poll(state).toBe('COMPLETED'); // whatever the receiver answers
    }
    expect(JSON.stringify(lines)).not.toMatch(/João|joao/);
  } finally {
    await workers.stop();
    await client.connection.close();
  }
  await keepOperatorEndpoint(database.prisma, undefined);
  expect(await database.prisma.webhookEndpoint.count()).toBe(0);
});
