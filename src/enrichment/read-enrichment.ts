import { isDeepStrictEqual } from 'node:util';
import type { Prisma } from '../db/generated/client.ts';
import { LeadNotFound } from '../leads/errors.ts';
import type { EnrichedField } from './provider.ts';
import type { StoredEnrichment } from './stored.ts';

/** What is known of a lead from elsewhere, with the values that it does not have although a source says so. */
export async function readEnrichment(db: Prisma.TransactionClient, leadId: string) {
  const lead = await db.lead.findUnique({ where: { id: leadId }, select: { id: true, enrichment: true } });
  if (!lead) throw new LeadNotFound(leadId);
  const observations = await db.enrichmentObservation.findMany({
    where: { leadId: lead.id },
    orderBy: [{ field: 'asc' }, { source: 'asc' }],
  });
  const stored = lead.enrichment as unknown as StoredEnrichment | null;
  const fields = (stored?.fields ?? {}) as Record<string, EnrichedField<unknown>>;
  return {
    leadId: lead.id,
    outcome: stored?.outcome ?? null,
    retryAt: stored?.retryAt ?? null,
    fields,
    conflicts: observations
      .filter(({ field, value }) => !isDeepStrictEqual(fields[field]?.value, value))
      .map(({ field, value, source, method, confidence, fetchedAt }) => ({
        field,
        value,
        source,
        method,
        confidence,
        fetchedAt: fetchedAt.toISOString(),
      })),
    providers: stored?.providers ?? [],
  };
}
