import type { PrismaClient } from '../../db/generated/client.ts';
import { lockLead } from '../../leads/lock-lead.ts';
import { eraseLead } from '../erase.ts';
import { activityOrigin } from '../../onboarding/step-record.ts';
import { isLeadExpired } from './expired-leads.ts';

/** Erases a lead whose period is over; one that is gone, or was written about since it was found, is left alone. */
export async function eraseIfExpired(
  prisma: PrismaClient,
  { leadId, retentionDays, requestId }: { leadId: string; retentionDays: number; requestId: string },
): Promise<void> {
  await prisma.$transaction(async (tx) => {
    if (!(await lockLead(tx, leadId)) || !(await isLeadExpired(tx, leadId, retentionDays))) return;
    const origin = activityOrigin(requestId);
    await eraseLead(tx, leadId, { reason: 'retention', requestId, origin, orderDelayMs: 0 });
  });
}
