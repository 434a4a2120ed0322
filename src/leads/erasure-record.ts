import type { Prisma } from '../db/generated/client.ts';

/** What stays of an erased lead's timeline: an entry of this type, once. */
export const ERASURE = { type: 'lead.erased', stepKey: 'erased' } as const;

/** When an erased lead was created; null when no such lead was erased. */
export async function erasedLeadCreatedAt(db: Prisma.TransactionClient, leadId: string): Promise<Date | null> {
  const where = { leadId_stepKey: { leadId, stepKey: ERASURE.stepKey } };
  const entry = await db.leadEvent.findUnique({ where });
  return entry && new Date((entry.data as { leadCreatedAt: string }).leadCreatedAt);
}
