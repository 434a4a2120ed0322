import type { Prisma } from '../db/generated/client.ts';
import type { LeadRow } from '../leads/lead.ts';
import type { Asked, Observation } from './enrich.ts';
import { mergeEnrichment, type PolicyOf, type StoredEnrichment } from './stored.ts';

/** What there is of a lead's enrichment. */
export const storedEnrichment = (lead: Pick<LeadRow, 'enrichment'>) =>
  lead.enrichment as unknown as StoredEnrichment | null;

/** Writes what an attempt of a run found onto its lead, which is locked, and keeps the values that lost. */
export async function keepEnrichment(
  tx: Prisma.TransactionClient,
  lead: LeadRow,
  run: string,
  { observations, ...asked }: Asked,
  policyOf: PolicyOf,
): Promise<StoredEnrichment & Pick<Asked, 'outcome'>> {
  const { fields, conflicts } = mergeEnrichment(storedEnrichment(lead), { ...asked, observations }, policyOf);
  const enrichment = { ...asked, fields, run };
  await putEnrichment(tx, lead, enrichment);
  await keepObservations(tx, lead, conflicts);
  return enrichment;
}

/** Puts an enrichment in place of the one that a lead, which is locked, has. */
export async function putEnrichment(
  tx: Prisma.TransactionClient,
  { id, organizationId }: Pick<LeadRow, 'id' | 'organizationId'>,
  enrichment: StoredEnrichment,
): Promise<void> {
  await tx.$executeRaw`
    INSERT INTO lead_enrichment (lead_id, organization_id, document)
    VALUES (${id}::uuid, ${organizationId}, ${JSON.stringify(enrichment)}::jsonb)
    ON CONFLICT (lead_id) DO UPDATE SET document = EXCLUDED.document`;
}

/** Keeps values that the lead does not have, the last of each source. */
export async function keepObservations(
  tx: Prisma.TransactionClient,
  { id: leadId, organizationId }: Pick<LeadRow, 'id' | 'organizationId'>,
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
