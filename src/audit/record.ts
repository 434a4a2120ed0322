import { uuidv7 } from 'uuidv7';
import type { Prisma } from '../db/generated/client.ts';
import type { Caller } from './caller.ts';

/** What is done to an organization as a whole. What is done to a lead stands on its timeline. */
export type AuditAction =
  | 'key.created'
  | 'key.rotated'
  | 'key.revoked'
  | 'rules.activated'
  | 'rescore.paused'
  | 'rescore.resumed'
  | 'rescore.canceled'
  | 'webhook.created'
  | 'webhook.changed'
  | 'webhook.paused'
  | 'webhook.deleted'
  | 'webhook.secret-rotated'
  | 'webhook.redelivered'
  | 'webhook.tested';

export interface AuditEntry {
  organizationId: string;
  action: AuditAction;
  /** The id of what it is done to. */
  subject: string;
  /** More of it: ids, numbers and names of things, never of persons. */
  data?: Prisma.InputJsonObject;
}

/** Notes an action, in the transaction that carries it out. */
export async function recordAudit(
  tx: Prisma.TransactionClient,
  { organizationId, action, subject, data = {} }: AuditEntry,
  caller: Caller,
): Promise<void> {
  await tx.auditEntry.create({
    data: { id: uuidv7(), organizationId, action, subject, data, caller: { ...caller } },
    select: { id: true },
  });
}
