import type { EnrichmentOutcome, EnrichResult, OnboardingRef } from '../../workflows/contract.ts';
import type { Lead, Prisma } from '../db/generated/client.ts';
import type { Enrichment } from '../enrichment/enrich.ts';
import { openStep } from './open-step.ts';
import { recordStep } from './step-record.ts';

/**
 * Notes that the enrichment of a lead begins.
 * @returns the lead, and the outcome that an earlier run has written, if one has.
 */
export async function startEnrichment(
  tx: Prisma.TransactionClient,
  ref: OnboardingRef,
): Promise<{ lead: Lead; recorded: EnrichmentOutcome | null }> {
  const { lead, recorded } = await openStep(tx, ref, 'enrichment');
  if (recorded) return { lead, recorded: enrichmentOutcome(recorded.type) };
  await recordStep(tx, ref, 'enrichment.started', 'enrichment.started');
  return { lead, recorded: null };
}

/** Writes what the sources found onto the lead, unless the step has an outcome already: it was skipped meanwhile. */
export async function recordEnrichment(
  tx: Prisma.TransactionClient,
  ref: OnboardingRef,
  enrichment: Enrichment,
): Promise<EnrichResult> {
  const { recorded } = await openStep(tx, ref, 'enrichment');
  if (recorded) return { outcome: enrichmentOutcome(recorded.type) };
  await tx.lead.update({
    where: { id: ref.leadId },
    data: { enrichment: enrichment as unknown as Prisma.InputJsonObject },
    select: { id: true },
  });
  await recordStep(tx, ref, 'enrichment', `enrichment.${enrichment.outcome}`, {
    fields: Object.keys(enrichment.fields),
    providers: enrichment.providers as unknown as Prisma.InputJsonArray,
  });
  return { outcome: enrichment.outcome };
}

/** `enrichment.partial` → `partial`. */
export function enrichmentOutcome(eventType: string): EnrichmentOutcome {
  const outcomes: EnrichmentOutcome[] = ['completed', 'partial', 'skipped'];
  const outcome = outcomes.find((name) => eventType === `enrichment.${name}`);
  if (!outcome) throw new Error(`${eventType} is not the outcome of an enrichment`);
  return outcome;
}
