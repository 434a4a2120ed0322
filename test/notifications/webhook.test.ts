import { setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { ApplicationFailure, CancelledFailure } from '@temporalio/activity';
import { describe, expect, it } from 'vitest';
import type { Notification } from '../../src/db/generated/client.ts';
import { freePort } from '../../src/local/ports.ts';
import { createNotificationWebhook, type NotificationWebhook } from '../../src/notifications/webhook.ts';
import { startWebhookReceiver } from '../support/webhook-receiver.ts';

const notification: Notification = {
  id: '01a20ab0-4757-752c-a5f9-81f88a505caa',
  number: 1,
  organizationId: 'org-123',
  leadId: '01a20ab0-4317-747b-b291-bb576de0a101',
  userId: 'user-456',
  assignment: 1,
  type: 'INFO',
  title: 'Novo Lead',
  message: 'Lead João Silva foi criado e atribuído a você',
  actionUrl: '/dashboard/leads/01a20ab0-4317-747b-b291-bb576de0a101',
  createdAt: new Date('2026-11-24T12:00:00.123Z'),
  readAt: null,
  deliveredAt: null,
};

const send = (webhook: NotificationWebhook, signal = new AbortController().signal) =>
  webhook.send(notification, signal);

/** What a delivery failed with. */
async function failureOf(webhook: NotificationWebhook): Promise<ApplicationFailure> {
  const failure: unknown = await send(webhook).then(
    () => 'delivered',
    (err: unknown) => err,
  );
  if (!(failure instanceof ApplicationFailure)) throw new Error(`not a failure of ours: ${String(failure)}`);
  for (const personal of ['Silva', 'Lead', 'user-456', '127.0.0.1']) expect(failure.message).not.toContain(personal);
  expect(failure.message).toContain(notification.id);
  expect(failure.cause).toBeUndefined();
  return failure;
}

describe('a notification webhook', () => {
  it('sends the notification signed, under its own id, in the same words each time', async () => {
    const { webhook, received } = await startWebhookReceiver();
    await send(webhook);
    await send(webhook);
    const { id, organizationId, leadId, userId, type, title, message, actionUrl } = notification;
    const event = {
      type: 'notification.created',
      timestamp: '2026-11-24T12:00:00.123Z',
      data: {
        id,
        organizationId,
        leadId,
        userId,
        type,
        title,
        message,
        actionUrl,
        createdAt: '2026-11-24T12:00:00.123Z',
      },
    };
    const timestamp = expect.closeTo(Date.now() / 1_000, -2) as number;
    expect(received).toMatchObject([
      { id: notification.id, timestamp },
      { id: notification.id, timestamp },
    ]);
    expect(received.map((receipt) => receipt.event)).toEqual([event, event]);
  });

  it('is not believed by a receiver that has another secret', async () => {
    const { url, received } = await startWebhookReceiver();
    const secret = `whsec_${Buffer.alloc(32).toString('base64')}`;
    const failure = await failureOf(createNotificationWebhook({ url, secret }));
    expect(failure).toMatchObject({ type: 'WebhookRefused', message: expect.stringContaining('401') as string });
    expect(received).toEqual([]);
  });

  it.each([200, 201, 202, 204])('is content with %i', async (status) => {
    const { webhook, received, reactAlways } = await startWebhookReceiver();
    reactAlways({ status });
    await send(webhook);
    expect(received).toHaveLength(1);
  });

  it.each([400, 401, 403, 404, 405, 410, 413, 422])('gives up at %i', async (status) => {
    const { webhook, reactAlways } = await startWebhookReceiver();
    reactAlways({ status, body: 'João Silva is unknown' });
    expect(await failureOf(webhook)).toMatchObject({
      type: 'WebhookRefused',
      nonRetryable: true,
      message: `The webhook answered ${status} to notification ${notification.id}`,
    });
  });

  it.each([408, 425, 429, 500, 502, 503, 504])('is to be tried again after %i', async (status) => {
    const { webhook, reactAlways } = await startWebhookReceiver();
    reactAlways({ status });
    const failure = await failureOf(webhook);
    expect(failure).toMatchObject({ type: 'WebhookUnavailable', nonRetryable: false });
    expect(failure.nextRetryDelay).toBeUndefined();
  });

  it.each([
    ['a number of seconds', '17', 17_000],
    ['no wait at all', '0', 1_000],
    ['a week', '604800', 3_600_000],
    ['a date that is over', 'Wed, 21 Oct 2015 07:28:00 GMT', 1_000],
    ['nonsense', 'later', undefined],
  ])('waits as long as Retry-After asks, within reason: %s', async (_what, header, delay) => {
    const { webhook, reactOnce } = await startWebhookReceiver();
    for (const status of [429, 503]) {
      reactOnce({ status, headers: { 'retry-after': header } });
      expect((await failureOf(webhook)).nextRetryDelay).toBe(delay);
    }
  });

  it('waits until the date that Retry-After names', async () => {
    const { webhook, reactOnce } = await startWebhookReceiver();
    reactOnce({ status: 503, headers: { 'retry-after': new Date(Date.now() + 60_000).toUTCString() } });
    const delay = Number((await failureOf(webhook)).nextRetryDelay);
    expect(delay).toBeGreaterThan(30_000);
    expect(delay).toBeLessThanOrEqual(60_000);
  });

  it('follows no redirect: nobody else gets the notification', async () => {
    const { webhook, reactAlways } = await startWebhookReceiver();
    const elsewhere = await startWebhookReceiver();
    for (const status of [301, 302, 307, 308]) {
      reactAlways({ status, headers: { location: elsewhere.url } });
      expect(await failureOf(webhook)).toMatchObject({ type: 'WebhookUnavailable', nonRetryable: false });
    }
    expect(elsewhere.received).toEqual([]);
  });

  it('does not read what the receiver has to say', async () => {
    const { webhook, reactOnce } = await startWebhookReceiver();
    reactOnce({ status: 200, headers: { 'content-length': '1000000000' }, body: 'x'.repeat(100_000) });
    await send(webhook);
  });

  it('leaves a receiver that hangs, whatever the garbage collector does', async () => {
    const { webhook, reactAlways } = await startWebhookReceiver();
    reactAlways('hang');
    setFlagsFromString('--expose-gc');
    const collecting = setInterval(runInNewContext('gc') as () => void, 200);
    const failure = await failureOf(webhook);
    clearInterval(collecting);
    expect(failure).toMatchObject({
      type: 'WebhookUnavailable',
      message: expect.stringMatching(/: TimeoutError$/) as string,
    });
  });

  it('asks a receiver that hangs one at a time, and all at once again when it answers', async () => {
    const { webhook, received, reactAlways } = await startWebhookReceiver();
    reactAlways('hang');
    await Promise.all([1, 2, 3].map(() => failureOf(webhook)));
    expect(received).toHaveLength(3);

    const asking = failureOf(webhook);
    for (let refused = 0; refused < 5; refused += 1)
      expect(await failureOf(webhook)).toMatchObject({ type: 'WebhookUnavailable', nonRetryable: false });
    await asking;
    expect(received).toHaveLength(4);

    reactAlways({ status: 204 });
    await send(webhook);
    await Promise.all([1, 2, 3].map(() => send(webhook)));
    expect(received).toHaveLength(8);
  });

  it('is to be tried again when the connection is cut, or cannot be made', async () => {
    const { webhook, reactOnce, received } = await startWebhookReceiver();
    reactOnce('cut');
    expect(await failureOf(webhook)).toMatchObject({ type: 'WebhookUnavailable', nonRetryable: false });
    expect(received).toHaveLength(1);

    const url = `http://127.0.0.1:${await freePort()}/`;
    const secret = `whsec_${Buffer.alloc(32).toString('base64')}`;
    const failure = await failureOf(createNotificationWebhook({ url, secret }));
    expect(failure).toMatchObject({
      type: 'WebhookUnavailable',
      message: expect.stringMatching(/ECONNREFUSED$/) as string,
    });
  });

  it('ends at once when its activity is canceled', async () => {
    const { webhook, reactAlways, received } = await startWebhookReceiver();
    reactAlways('hang');
    const cancellation = new AbortController();
    const sent = send(webhook, cancellation.signal);
    sent.catch(() => undefined);
    while (received.length === 0) await sleep(10);
    cancellation.abort(new CancelledFailure('by the test'));
    await expect(sent).rejects.toThrow(CancelledFailure);
  });
});
