import type { Prisma } from '../db/generated/client.ts';
import type { LeadRow } from './lead.ts';

/** Locks a lead's row against other steps and edits. */
export async function lockLead(tx: Prisma.TransactionClient, leadId: string): Promise<LeadRow | null> {
  await tx.$queryRaw`SELECT 1 FROM lead WHERE id = ${leadId}::uuid FOR UPDATE`;
  return (await tx.lead.findUnique({ where: { id: leadId } })) as LeadRow | null;
}
