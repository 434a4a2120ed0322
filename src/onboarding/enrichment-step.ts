import type { Pool } from 'pg';
import type { EnrichmentOutcome, OnboardingRef } from '../../workflows/contract.ts';
import type { EnrichmentRef } from '../../workflows/enrichment-contract.ts';
import type { Asked } from '../enrichment/enrich.ts';
import type { LeadFacts } from '../enrichment/provider.ts';
import { mergeEnrichment, type PolicyOf, type StoredEnrichment } from '../enrichment/stored.ts';
import { callStep } from './call-step.ts';

export type EnrichStepRef = OnboardingRef | EnrichmentRef;

/** The lead as an enrichment reads it. */
export interface EnrichedLead extends LeadFacts {
  enrichment: StoredEnrichment | null;
}

interface Recorded {
  type: string;
}

/** How an enrichment has ended, by its own earlier run or by a command; else its lead, and when its first attempt began. */
export type Started = { outcome: EnrichmentOutcome } | { outcome: undefined; lead: EnrichedLead; startedAt: Date };

/** Names an enrichment, over all its attempts: that of a round of an onboarding, or one that was ordered after it. */
export const runOf = (ref: EnrichStepRef): string => ('run' in ref ? `again-${ref.run}` : `round-${ref.round}`);

/** Notes that an enrichment begins, unless it is over or has begun. */
export async function startEnrichment(pool: Pool, ref: EnrichStepRef): Promise<Started> {
  const answer = await callStep<{ recorded: Recorded | null; lead: EnrichedLead; startedAt: string }>(
    pool,
    'start_enrichment',
    ref,
  );
  if (answer.recorded) return { outcome: enrichmentOutcome(answer.recorded.type) };
  return { outcome: undefined, lead: answer.lead, startedAt: new Date(answer.startedAt) };
}

/**
 * Keeps what an attempt found, merged with what the lead has, and the values that lost; `isLast` ends the step. A human
 * may enter a value meanwhile: then it is merged with that.
 * @returns how the enrichment stands, which an earlier run or a command may have decided
 */
export async function keepEnrichment(
  pool: Pool,
  ref: EnrichStepRef,
  { lead, asked, policyOf, isLast }: { lead: EnrichedLead; asked: Asked; policyOf: PolicyOf; isLast: boolean },
): Promise<EnrichmentOutcome> {
  const run = runOf(ref);
  const { observations, ...found } = asked;
  for (let present = lead.enrichment; ;) {
    const { fields, conflicts } = mergeEnrichment(present, { ...found, observations }, policyOf);
    const data = { fields: Object.keys(fields), providers: found.providers };
    const answer = await callStep<{ recorded: Recorded | null; lead: EnrichedLead }>(
      pool,
      'keep_enrichment',
      ref,
      present,
      {
        run,
        document: { ...found, fields, run },
        observations: conflicts,
        ...(isLast && { ended: { type: `enrichment.${found.outcome}`, data } }),
      },
    );
    if (answer.status === 'recorded' && answer.recorded) return enrichmentOutcome(answer.recorded.type);
    if (answer.status === 'open') return found.outcome;
    present = answer.lead.enrichment;
  }
}

/** `enrichment.partial` → `partial`. */
export function enrichmentOutcome(eventType: string): EnrichmentOutcome {
  const outcomes: EnrichmentOutcome[] = ['completed', 'partial', 'skipped'];
  const outcome = outcomes.find((name) => eventType === `enrichment.${name}`);
  if (!outcome) throw new Error(`${eventType} is not the outcome of an enrichment`);
  return outcome;
}
