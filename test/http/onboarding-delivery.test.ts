import { describe, expect } from 'vitest';
import { createNotificationActivities } from '../../activities/notification.ts';
import type { onboardingStatus } from '../../src/onboarding/status.ts';
import { type Page, test, type TestApi } from '../support/api.ts';
import { startWebhookReceiver } from '../support/webhook-receiver.ts';

type Status = Awaited<ReturnType<typeof onboardingStatus>>;

const notifyStep = async (api: TestApi, leadId: string) => {
  const { body } = await api.call<Status>('GET', `/api/leads/${leadId}/onboarding`);
  const [notify] = body.steps;
  if (!notify) throw new Error('no steps');
  return { onboarding: body.state, ...notify };
};

const inbox = async (api: TestApi) => {
  const path = '/api/notifications?organizationId=org-123&userId=user-456';
  return (await api.call<Page<{ leadId: string }>>('GET', path)).body.items;
};

describe('the delivery of a notification in the API', () => {
  test('is under way, with its attempts and last error, while the receiver is down', async ({
    api,
    onboard,
    database,
  }) => {
    const { webhook, goDown, comeBack } = await startWebhookReceiver();
    await goDown();
    const run = await onboard({ activities: createNotificationActivities({ ...database, webhook }) });
    await expect.poll(async () => (await notifyStep(api, run.leadId)).attempts).toBeGreaterThanOrEqual(2);
    expect(await notifyStep(api, run.leadId)).toMatchObject({
      onboarding: 'RUNNING',
      name: 'notify',
      state: 'running',
      lastError: { type: 'WebhookUnavailable', message: expect.stringContaining('ECONNREFUSED') as string },
      at: null,
    });
    expect((await inbox(api)).filter(({ leadId }) => leadId === run.leadId)).toHaveLength(1);

    await comeBack();
    await run.handle.result();
    const step = await notifyStep(api, run.leadId);
    expect(step).toMatchObject({ onboarding: 'COMPLETED', state: 'completed', lastError: null });
    expect(step.attempts).toBeGreaterThanOrEqual(2);
  });

  test('is failed when the receiver refuses, and made up for by a retry', async ({ api, onboard, database }) => {
    const { webhook, received, reactOnce } = await startWebhookReceiver();
    reactOnce({ status: 410 });
    const run = await onboard({ activities: createNotificationActivities({ ...database, webhook }) });
    await run.handle.result();
    expect(await notifyStep(api, run.leadId)).toMatchObject({
      onboarding: 'PARTIAL',
      state: 'failed',
      attempts: null,
      lastError: { type: 'WebhookRefused', message: 'WebhookRefused' },
      at: expect.stringMatching(/Z$/) as string,
    });

    expect((await api.call('POST', `/api/leads/${run.leadId}/onboarding/retry`)).status).toBe(202);
    await expect
      .poll(() => notifyStep(api, run.leadId))
      .toMatchObject({ onboarding: 'COMPLETED', state: 'completed', attempts: 1, lastError: null });
    const [notification] = await database.prisma.notification.findMany({ where: { leadId: run.leadId } });
    expect(received.map(({ id }) => id)).toEqual([notification?.id, notification?.id]);
    expect((await inbox(api)).filter(({ leadId }) => leadId === run.leadId)).toHaveLength(1);
    expect((await run.timeline()).filter((type) => type.startsWith('notification.'))).toEqual([
      'notification.created',
      'notification.failed',
      'notification.skipped',
      'notification.delivered',
    ]);
  });
});
