import type { PrismaClient } from '../db/generated/client.ts';
import { lockLead } from '../leads/lock-lead.ts';

const NO_LEAD = '00000000-0000-0000-0000-000000000000';

/**
 * Runs the first statements of every step, on a lead that does not exist: connecting, and Prisma's compilation of a
 * query, cost the first lead a quarter of a second otherwise.
 * @throws when the database does not answer, or has not all that the steps need
 */
export async function warmUp(prisma: PrismaClient): Promise<void> {
  await prisma.$transaction(async (tx) => {
    await lockLead(tx, NO_LEAD);
    await tx.leadEvent.findUnique({ where: { leadId_stepKey: { leadId: NO_LEAD, stepKey: '' } } });
    await tx.onboarding.updateMany({ where: { leadId: NO_LEAD }, data: { state: 'RUNNING' } });
    await tx.leadEvent.createMany({ data: [] });
    await tx.notification.createMany({ data: [] });
    await tx.enrichmentRun.deleteMany({ where: { leadId: NO_LEAD } });
  });
}
