import { z } from '@hono/zod-openapi';
import type { AuditEntry as AuditEntryRow, Prisma } from '../db/generated/client.ts';
import { decodeCursor, olderBy, toPage } from '../db/paging.ts';

export const callerSchema = z
  .object({
    keyId: z.string().nullable(),
    userId: z.string().nullable(),
    ipAddress: z.string().nullable(),
    userAgent: z.string().nullable(),
    requestId: z.string(),
  })
  .openapi('Caller');

/** What was done to an organization, as the API tells of it. */
export const auditEntrySchema = z
  .object({
    id: z.uuid(),
    at: z.iso.datetime(),
    action: z.string().openapi({ example: 'key.created' }),
    subject: z.string().openapi({ description: 'The id of what it was done to' }),
    data: z.record(z.string(), z.unknown()),
    caller: callerSchema,
  })
  .openapi('AuditEntry');

export type AuditEntryView = z.infer<typeof auditEntrySchema>;

/** What was done to an organization, the newest first. @throws CursorError */
export async function listAudit(
  db: Prisma.TransactionClient,
  { organizationId, limit, cursor }: { organizationId: string; limit: number; cursor?: string | undefined },
): Promise<{ items: AuditEntryView[]; nextCursor: string | null }> {
  const position = cursor === undefined ? undefined : decodeCursor(cursor);
  const rows = await db.auditEntry.findMany({
    where: { organizationId, ...(position && olderBy('at', 'id', position)) },
    orderBy: [{ at: 'desc' }, { id: 'desc' }],
    take: limit + 1,
  });
  return toPage(rows, limit, ({ at, id }) => ({ at, id }), toView);
}

function toView({ id, at, action, subject, data, caller }: AuditEntryRow): AuditEntryView {
  return {
    id,
    at: at.toISOString(),
    action,
    subject,
    data: data as AuditEntryView['data'],
    caller: caller as AuditEntryView['caller'],
  };
}
