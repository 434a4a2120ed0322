import { randomBytes } from 'node:crypto';
import type { TestDatabase } from './database.ts';

/** A row of each table of enrichment, as providers on other people's servers leave them. */
export async function leaveEnrichmentRows(
  { prisma }: TestDatabase,
  { leadId, organizationId }: { leadId: string; organizationId: string },
): Promise<void> {
  const provider = 'by-the-test';
  const fetchedAt = new Date();
  const expiresAt = new Date(fetchedAt.getTime() + 3_600_000);
  await prisma.enrichmentRun.create({ data: { leadId, organizationId, run: 'round-1', calls: 1 } });
  await prisma.enrichmentBudget.create({ data: { organizationId, provider, day: fetchedAt, used: 1 } });
  const answer = { kind: 'nothing' };
  await prisma.enrichmentCache.create({
    data: { organizationId, provider, keyHash: randomBytes(32), leadId, answer, fetchedAt, expiresAt },
  });
  const seen = { field: 'companyName', source: provider, value: 'Acme', method: 'api', confidence: 0.5, fetchedAt };
  await prisma.enrichmentObservation.create({ data: { leadId, organizationId, ...seen } });
}
