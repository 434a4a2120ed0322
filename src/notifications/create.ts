import { v7 as uuidv7 } from 'uuid';
import type { Lead, Prisma } from '../db/generated/client.ts';
import { newLeadNotification } from './new-lead.ts';

/**
 * Puts a notification into the inbox of the lead's present assignee, once for each assignment.
 * @returns its id, and whether it was made just now.
 */
export async function createNotification(
  tx: Prisma.TransactionClient,
  lead: Lead & { assignedTo: string },
): Promise<{ notificationId: string; created: boolean }> {
  const id = uuidv7();
  const { count } = await tx.notification.createMany({
    data: {
      id,
      organizationId: lead.organizationId,
      leadId: lead.id,
      userId: lead.assignedTo,
      assignment: lead.assignment,
      ...newLeadNotification(lead),
    },
    skipDuplicates: true,
  });
  if (count === 1) return { notificationId: id, created: true };
  const before = await tx.notification.findUniqueOrThrow({ where: byAssignment(lead.id, lead.assignment) });
  return { notificationId: before.id, created: false };
}

/** There is one notification for each assignee that a lead has had. */
export const byAssignment = (leadId: string, assignment: number) => ({ leadId_assignment: { leadId, assignment } });

/** Says whether there is somebody to notify. */
export const isAssigned = (lead: Lead): lead is Lead & { assignedTo: string } => lead.assignedTo !== null;
