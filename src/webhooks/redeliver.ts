import { z } from '@hono/zod-openapi';
import { uuidv7 } from 'uuidv7';
import type { Prisma } from '../db/generated/client.ts';
import { EventNotFound } from './errors.ts';
import { lockEndpoint } from './manage.ts';
import { TEST_TYPE } from './message.ts';

type Tx = Prisma.TransactionClient;

/** The body of `POST /api/webhooks/{id}/redeliver`: one of three. */
export const redeliverySchema = z
  .union([
    z.strictObject({ eventId: z.uuid('must be the id of an event') }),
    z.strictObject({ givenUp: z.literal(true).openapi({ description: 'All that is not tried any more' }) }),
    z.strictObject({
      since: z.iso.datetime().openapi({ description: 'All of the feed since a time, at most 30 days ago' }),
    }),
  ])
  .openapi('WebhookRedelivery');

export type Redelivery = z.infer<typeof redeliverySchema>;

/**
 * Has an endpoint told again, with the same ids.
 * @throws EndpointNotFound, EventNotFound
 */
export async function redeliver(tx: Tx, endpointId: string, redelivery: Redelivery): Promise<void> {
  const { organizationId } = await lockEndpoint(tx, endpointId);
  if ('eventId' in redelivery) {
    const { eventId } = redelivery;
    const again = await tx.webhookDelivery.updateMany({ where: { endpointId, eventId }, data: afresh() });
    if (again.count > 0) return;
    const known = await tx.webhookAttempt.findFirst({ where: { endpointId, eventId } });
    if (!known) throw new EventNotFound(eventId);
    const { type, leadId, eventAt, eventSeq } = known;
    await tx.webhookDelivery.create({
      data: { endpointId, eventId, organizationId, type, leadId, eventAt, eventSeq },
      select: { eventId: true },
    });
  } else if ('givenUp' in redelivery) {
    await tx.webhookDelivery.updateMany({ where: { endpointId, failedAt: { not: null } }, data: afresh() });
  } else {
    // How far the feed had come is noted at some moment of each minute: only that of the minute before was surely earlier.
    const since = new Date(Date.parse(redelivery.since) - 60_000);
    await tx.$executeRaw`
      UPDATE webhook_endpoint w SET xid = place.xid, seq = 0
      FROM (SELECT coalesce((SELECT c.xid FROM feed_clock c WHERE c.at <= ${since} ORDER BY c.at DESC LIMIT 1),
                            '0'::xid8) AS xid) AS place
      WHERE w.id = ${endpointId}::uuid AND place.xid < w.xid`;
  }
}

/** As if it had never been tried. */
const afresh = () => ({ attempts: 0, failedAt: null, nextAt: new Date(), since: new Date() });

/** Has an endpoint sent a message of which nothing has happened. @returns its id @throws EndpointNotFound */
export async function orderTest(tx: Tx, endpointId: string): Promise<string> {
  const { organizationId } = await lockEndpoint(tx, endpointId);
  const eventId = uuidv7();
  await tx.webhookDelivery.create({
    data: { endpointId, eventId, organizationId, type: TEST_TYPE },
    select: { eventId: true },
  });
  return eventId;
}
