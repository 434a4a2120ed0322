import type { EnrichmentOutcome, EnrichResult, OnboardingRef } from '../../workflows/contract.ts';
import type { Lead, Prisma } from '../db/generated/client.ts';
import type { Asked } from '../enrichment/enrich.ts';
import type { PolicyOf } from '../enrichment/stored.ts';
import { keepEnrichment } from './keep-enrichment.ts';
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

/** Names the enrichment of a round of an onboarding, over all its attempts. */
export const runOf = ({ round }: OnboardingRef) => `round-${round}`;

/** Writes what the sources found onto the lead, unless the step has an outcome already: it was skipped meanwhile. */
export async function recordEnrichment(
  tx: Prisma.TransactionClient,
  ref: OnboardingRef,
  asked: Asked,
  policyOf: PolicyOf,
): Promise<EnrichResult> {
  const { lead, recorded } = await openStep(tx, ref, 'enrichment');
  if (recorded) return { outcome: enrichmentOutcome(recorded.type) };
  const { fields, providers, outcome } = await keepEnrichment(tx, lead, runOf(ref), asked, policyOf);
  await tx.enrichmentRun.deleteMany({ where: { leadId: ref.leadId } });
  await recordStep(tx, ref, 'enrichment', `enrichment.${outcome}`, {
    fields: Object.keys(fields),
    providers: providers as unknown as Prisma.InputJsonArray,
  });
  return { outcome };
}

/** Keeps what was found so far, for the attempt that comes next or, if none does, for the score. */
export async function keepProgress(
  tx: Prisma.TransactionClient,
  ref: OnboardingRef,
  asked: Asked,
  policyOf: PolicyOf,
): Promise<void> {
  const { lead, recorded } = await openStep(tx, ref, 'enrichment');
  if (!recorded) await keepEnrichment(tx, lead, runOf(ref), asked, policyOf);
}

/** `enrichment.partial` → `partial`. */
export function enrichmentOutcome(eventType: string): EnrichmentOutcome {
  const outcomes: EnrichmentOutcome[] = ['completed', 'partial', 'skipped'];
  const outcome = outcomes.find((name) => eventType === `enrichment.${name}`);
  if (!outcome) throw new Error(`${eventType} is not the outcome of an enrichment`);
  return outcome;
}
