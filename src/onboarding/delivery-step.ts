import type { PrismaClient } from '../db/generated/client.ts';
import { recordStep, type StepOwner } from './step-record.ts';
import type { NotificationWebhook } from '../notifications/webhook.ts';

/**
 * Sends a notification to the webhook, unless that has taken it before, and marks it as delivered.
 * At least once: when the mark is lost after the effect, the next run sends it again under the same id.
 * @throws ApplicationFailure of the webhook
 */
export async function deliverNotification(
  { prisma, webhook, signal }: { prisma: PrismaClient; webhook: NotificationWebhook; signal: AbortSignal },
  ref: StepOwner,
  id: string,
): Promise<void> {
  const notification = await prisma.notification.findUnique({ where: { id, deliveredAt: null } });
  if (!notification) return;
  await webhook.send(notification, signal);
  await prisma.$transaction(async (tx) => {
    const marked = await tx.$executeRaw`
      UPDATE notification SET delivered_at = clock_timestamp() WHERE id = ${id}::uuid AND delivered_at IS NULL`;
    if (marked) await recordStep(tx, ref, 'delivery', 'notification.delivered', { notificationId: id });
  });
}
