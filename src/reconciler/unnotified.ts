import type { Pool } from 'pg';
import { v7 as uuidv7 } from 'uuid';
import type { PrismaClient } from '../db/generated/client.ts';
import { lockLead } from '../leads/lock-lead.ts';
import { isAssigned } from '../notifications/create.ts';
import { placeOrder } from '../outbox/place-order.ts';

/** A later assignee whom no notification and no order tells of the lead. */
export interface UnnotifiedAssignment {
  leadId: string;
  assignment: number;
}

/**
 * Later assignees of the last day (after that a run gives up) who have waited for longer than the patience; when there
 * are more than `limit`, any of them, so that those which are under way do not hide the others.
 */
export async function unnotifiedAssignments(
  pool: Pool,
  { limit, patienceMs }: { limit: number; patienceMs: number },
): Promise<UnnotifiedAssignment[]> {
  const { rows } = await pool.query<UnnotifiedAssignment>(
    `SELECT id AS "leadId", assignment FROM lead
     WHERE id IN (SELECT lead_id FROM lead_event WHERE type = 'lead.assigned'
                  AND at > now() - interval '1 day' AND at < clock_timestamp() - $2 * interval '1 millisecond')
       AND assigned_to IS NOT NULL
       AND NOT EXISTS (SELECT 1 FROM notification WHERE lead_id = lead.id AND assignment = lead.assignment)
       AND NOT EXISTS (SELECT 1 FROM outbox WHERE lead_id = lead.id AND kind = 'NOTIFY_ASSIGNEE')
     ORDER BY random() LIMIT $1`,
    [limit, patienceMs],
  );
  return rows;
}

/** Orders the notification again. @returns false when somebody has meanwhile, or nobody is to be told any more. */
export function notifyAgain(
  prisma: PrismaClient,
  { leadId, assignment }: UnnotifiedAssignment,
  requestId: string,
): Promise<boolean> {
  return prisma.$transaction(async (tx) => {
    const lead = await lockLead(tx, leadId);
    if (!lead || !isAssigned(lead) || lead.assignment !== assignment) return false;
    const told = await tx.notification.count({ where: { leadId, assignment } });
    const ordered = await tx.outbox.count({ where: { leadId, kind: 'NOTIFY_ASSIGNEE' } });
    if (told + ordered > 0) return false;
    await placeOrder(tx, {
      id: uuidv7(),
      kind: 'NOTIFY_ASSIGNEE',
      leadId,
      organizationId: lead.organizationId,
      payload: { assignment, priority: lead.priority, requestId, again: true },
    });
    return true;
  });
}
