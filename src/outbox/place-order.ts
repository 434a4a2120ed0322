import type { Prisma } from '../db/generated/client.ts';
import type { Order } from './order.ts';

/**
 * Writes an order in the transaction of what it follows from.
 * @param delayMs for which relays leave it to this process, by the database's clock
 */
export async function placeOrder(tx: Prisma.TransactionClient, order: Order, delayMs = 0): Promise<void> {
  await tx.$executeRaw`
    INSERT INTO outbox (id, lead_id, organization_id, kind, payload, available_at)
    VALUES (${order.id}::uuid, ${order.leadId}::uuid, ${order.organizationId}, ${order.kind}::outbox_kind,
            ${JSON.stringify(order.payload)}::jsonb, clock_timestamp() + ${delayMs} * interval '1 millisecond')`;
}
