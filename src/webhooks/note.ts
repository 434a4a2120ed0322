import type { Caller } from '../audit/caller.ts';
import { type AuditAction, recordAudit } from '../audit/record.ts';
import type { Prisma } from '../db/generated/client.ts';

/** Notes in the audit what is done to an endpoint, in the transaction that does it. The operator's is of no organization. */
export async function noteEndpoint(
  tx: Prisma.TransactionClient,
  action: AuditAction,
  { id: subject, organizationId }: { id: string; organizationId: string | null },
  caller: Caller,
  data: Prisma.InputJsonObject = {},
): Promise<void> {
  if (organizationId !== null) await recordAudit(tx, { organizationId, action, subject, data }, caller);
}
