import { uuidv7 } from 'uuidv7';
import type { Caller } from '../audit/caller.ts';
import type { Lead, Prisma } from '../db/generated/client.ts';

/** Notes on a lead's timeline what a caller has ordered, in the transaction that places the order. */
export async function recordOrder(
  tx: Prisma.TransactionClient,
  { id: leadId, organizationId }: Pick<Lead, 'id' | 'organizationId'>,
  type: 'command.accepted' | 'enrichment.ordered',
  data: Prisma.InputJsonObject,
  caller: Caller,
): Promise<void> {
  await tx.leadEvent.create({
    data: { id: uuidv7(), leadId, organizationId, type, data, metadata: { ...caller } },
    select: { id: true },
  });
}
