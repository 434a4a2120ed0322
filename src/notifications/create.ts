import { v7 as uuidv7 } from 'uuid';
import type { Lead, Prisma } from '../db/generated/client.ts';
import { newLeadNotification } from './new-lead.ts';

/**
 * Puts a notification into the inbox of the lead's present assignee, once for each assignment.
 * @returns its id, or undefined when that assignment was notified before.
 */
export async function createNotification(
  tx: Prisma.TransactionClient,
  lead: Lead & { assignedTo: string },
): Promise<string | undefined> {
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
  return count === 1 ? id : undefined;
}

/** Says whether there is somebody to notify. */
export const isAssigned = (lead: Lead): lead is Lead & { assignedTo: string } => lead.assignedTo !== null;
