import type { Lead, Prisma } from '../db/generated/client.ts';

/** Locks a lead's row against other steps and edits. */
export async function lockLead(tx: Prisma.TransactionClient, leadId: string): Promise<Lead | null> {
  await tx.$queryRaw`SELECT 1 FROM lead WHERE id = ${leadId}::uuid FOR UPDATE`;
  return tx.lead.findUnique({ where: { id: leadId } });
}
