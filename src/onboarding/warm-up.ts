import type { PrismaClient } from '../db/generated/client.ts';
import type { Logger } from '../logger.ts';
import { lockLead } from './open-step.ts';

const NO_LEAD = '00000000-0000-0000-0000-000000000000';

/**
 * Runs the first statements of every step, on a lead that does not exist: connecting, and Prisma's compilation of a
 * query, cost the first lead a quarter of a second otherwise. Without a database there is nothing to warm yet.
 */
export async function warmUp(prisma: PrismaClient, log: Logger): Promise<void> {
  try {
    await prisma.$transaction(async (tx) => {
      await lockLead(tx, NO_LEAD);
      await tx.leadEvent.findUnique({ where: { leadId_stepKey: { leadId: NO_LEAD, stepKey: '' } } });
      await tx.lead.updateMany({ where: { id: NO_LEAD }, data: { onboardingState: 'RUNNING' } });
      await tx.leadEvent.createMany({ data: [] });
      await tx.notification.createMany({ data: [] });
    });
  } catch (err) {
    log.warn({ err }, 'the database does not answer yet');
  }
}
