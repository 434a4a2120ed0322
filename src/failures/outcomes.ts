import { z } from '@hono/zod-openapi';
import type { BulkRetryLead, Prisma } from '../db/generated/client.ts';
import { BULK_RETRY_OUTCOMES, type BulkRetryOutcome } from './bulk-retry.ts';
import { BulkRetryNotFound } from './errors.ts';

/** Read at once. */
const PAGE = 500;

/** What became of one lead of a bulk retry. */
export const leadOutcomeSchema = z
  .object({
    leadId: z.uuid(),
    organizationId: z.string(),
    outcome: z.enum(BULK_RETRY_OUTCOMES),
    reason: z.string().nullable().openapi({ description: 'Why it was skipped' }),
    at: z.iso.datetime(),
  })
  .openapi('BulkRetryLead');

/** What became of each lead of a retry, or of those with one outcome, by their ids. @throws BulkRetryNotFound */
export async function* readOutcomes(
  db: Prisma.TransactionClient,
  retryId: string,
  outcome?: BulkRetryOutcome,
): AsyncGenerator<z.infer<typeof leadOutcomeSchema>> {
  if (!(await db.bulkRetry.findUnique({ where: { id: retryId }, select: { id: true } })))
    throw new BulkRetryNotFound(retryId);
  let after: string | undefined;
  for (;;) {
    const rows: BulkRetryLead[] = await db.bulkRetryLead.findMany({
      where: { retryId, ...(outcome && { outcome }), ...(after !== undefined && { leadId: { gt: after } }) },
      orderBy: { leadId: 'asc' },
      take: PAGE,
    });
    yield* rows.map((row) => ({
      leadId: row.leadId,
      organizationId: row.organizationId,
      outcome: row.outcome as BulkRetryOutcome,
      reason: row.reason,
      at: row.at.toISOString(),
    }));
    if (rows.length < PAGE) return;
    after = rows.at(-1)?.leadId;
  }
}
