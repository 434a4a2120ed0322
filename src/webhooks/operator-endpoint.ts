import type { PrismaClient } from '../db/generated/client.ts';

/** Of the one endpoint that is the operator's. */
const OPERATOR_ENDPOINT = '00000000-0000-7000-8000-000000000001';

/**
 * Has an endpoint for `NOTIFICATION_WEBHOOK_URL`, as long as that is set: it is told of the notifications of all
 * organizations. A database whose notifications were delivered by their own step before this was there goes on with those
 * of the last three days that were not.
 */
export async function keepOperatorEndpoint(
  prisma: PrismaClient,
  webhook: { url: string; secret: string } | undefined,
): Promise<void> {
  if (!webhook) return void (await prisma.webhookEndpoint.deleteMany({ where: { id: OPERATOR_ENDPOINT } }));
  await prisma.$transaction(async (tx) => {
    const [endpoint] = await tx.$queryRaw<{ isNew: boolean }[]>`
      INSERT INTO webhook_endpoint AS w (id, url, description, types, with_persons, secret)
      VALUES (${OPERATOR_ENDPOINT}::uuid, ${webhook.url}, 'NOTIFICATION_WEBHOOK_URL', '{notification.created}', true,
              ${webhook.secret})
      ON CONFLICT (id) DO UPDATE
        SET url = EXCLUDED.url, secret = EXCLUDED.secret, updated_at = clock_timestamp(),
            paused = CASE WHEN w.url = EXCLUDED.url THEN w.paused END,
            failures = CASE WHEN w.url = EXCLUDED.url THEN w.failures ELSE 0 END,
            failing_since = CASE WHEN w.url = EXCLUDED.url THEN w.failing_since END,
            next_at = CASE WHEN w.url = EXCLUDED.url THEN w.next_at ELSE clock_timestamp() END
      RETURNING xmax = 0 AS "isNew"`;
    if (!endpoint?.isNew) return;
    await tx.$executeRaw`
      INSERT INTO webhook_delivery (endpoint_id, event_id, type)
      SELECT ${OPERATOR_ENDPOINT}::uuid, n.id, 'notification.created' FROM notification n
      WHERE n.delivered_at IS NULL AND n.created_at > now() - interval '3 days'
        AND EXISTS (SELECT FROM notification d WHERE d.delivered_at IS NOT NULL)`;
  });
}
