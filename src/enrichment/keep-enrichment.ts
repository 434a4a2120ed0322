import type { Prisma } from '../db/generated/client.ts';
import type { LeadRow } from '../leads/lead.ts';
import type { Observation } from './enrich.ts';
import type { StoredEnrichment } from './stored.ts';

/** What there is of a lead's enrichment. */
export const storedEnrichment = (lead: Pick<LeadRow, 'enrichment'>) =>
  lead.enrichment as unknown as StoredEnrichment | null;

/** Puts an enrichment in place of the one that a lead, which is locked, has. */
export async function putEnrichment(
  tx: Prisma.TransactionClient,
  { id, organizationId }: Pick<LeadRow, 'id' | 'organizationId'>,
  enrichment: StoredEnrichment,
): Promise<void> {
  await tx.$executeRaw`SELECT put_enrichment(${id}::uuid, ${organizationId}, ${JSON.stringify(enrichment)}::jsonb)`;
}

/** Keeps values that the lead does not have, the last of each source. */
export async function keepObservations(
  tx: Prisma.TransactionClient,
  { id, organizationId }: Pick<LeadRow, 'id' | 'organizationId'>,
  observations: readonly Observation[],
): Promise<void> {
  await tx.$executeRaw`SELECT put_observations(${id}::uuid, ${organizationId}, ${JSON.stringify(observations)}::jsonb)`;
}
