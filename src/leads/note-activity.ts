import type { Prisma } from '../db/generated/client.ts';

/** Notes that a caller or the person did something with a lead: its retention begins anew. */
export async function noteActivity(tx: Prisma.TransactionClient, leadId: string): Promise<void> {
  await tx.$executeRaw`SELECT note_activity(${leadId}::uuid)`;
}
