import type { Lead, Prisma } from '../db/generated/client.ts';
import type { Asked, Observation } from './enrich.ts';
import { mergeEnrichment, type PolicyOf, type StoredEnrichment } from './stored.ts';

/** What a lead's row has of its enrichment. */
export const storedEnrichment = (lead: Pick<Lead, 'enrichment'>) =>
  lead.enrichment as unknown as StoredEnrichment | null;

/** Writes what an attempt of a run found onto its lead, which is locked, and keeps the values that lost. */
export async function keepEnrichment(
  tx: Prisma.TransactionClient,
  lead: Lead,
  run: string,
  { observations, ...asked }: Asked,
  policyOf: PolicyOf,
): Promise<StoredEnrichment & Pick<Asked, 'outcome'>> {
  const { fields, conflicts } = mergeEnrichment(storedEnrichment(lead), { ...asked, observations }, policyOf);
  const enrichment = { ...asked, fields, run };
  await tx.lead.update({
    where: { id: lead.id },
    data: { enrichment: enrichment as unknown as Prisma.InputJsonObject },
    select: { id: true },
  });
  await keepObservations(tx, lead, conflicts);
  return enrichment;
}

/** Keeps values that the lead does not have, the last of each source. */
export async function keepObservations(
  tx: Prisma.TransactionClient,
  { id: leadId, organizationId }: Pick<Lead, 'id' | 'organizationId'>,
  observations: readonly Observation[],
): Promise<void> {
  for (const { field, source, value, method, confidence, fetchedAt } of observations) {
    const seen = { value: value as Prisma.InputJsonValue, method, confidence, fetchedAt };
    await tx.enrichmentObservation.upsert({
      where: { leadId_field_source: { leadId, field, source } },
      create: { leadId, organizationId, field, source, ...seen },
      update: seen,
      select: { field: true },
    });
  }
}
