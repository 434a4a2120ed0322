import type { Lead, Notification, Prisma } from '../db/generated/client.ts';
import { newLeadNotification } from './new-lead.ts';

/**
 * Puts a notification into the inbox of the lead's present assignee, whose lead the transaction holds. It holds the
 * inbox until the commit, and with it whoever else notifies that user: let it be the last statement.
 */
export async function createNotification(
  tx: Prisma.TransactionClient,
  lead: Lead & { assignedTo: string },
  id: string,
): Promise<void> {
  await tx.notification.createMany({
    data: {
      id,
      organizationId: lead.organizationId,
      leadId: lead.id,
      userId: lead.assignedTo,
      assignment: lead.assignment,
      ...newLeadNotification(lead),
    },
  });
}

/** What an assignee of a lead was told; there is one notification for each that it has had. */
export const findNotification = (
  tx: Prisma.TransactionClient,
  leadId: string,
  assignment: number,
): Promise<Notification | null> => tx.notification.findUnique({ where: { leadId_assignment: { leadId, assignment } } });

/** Says whether there is somebody to notify. */
export const isAssigned = (lead: Lead): lead is Lead & { assignedTo: string } => lead.assignedTo !== null;
