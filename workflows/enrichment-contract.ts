import type { EnrichmentOutcome, EnrichResult, LeadPriority, ScoreBand } from './contract.ts';

export const LEAD_ENRICHMENT = 'leadEnrichment';

/** The workflow id of enriching a lead again: one for each order, so that none is taken for another. */
export const enrichmentWorkflowId = (leadId: string, run: string) => `lead-enrichment-${leadId}-${run}`;

/** One enrichment that somebody ordered after the onboarding. */
export interface EnrichmentRef {
  leadId: string;
  organizationId: string;
  /** A UUID: names the enrichment on the timeline, however often its steps run. */
  run: string;
  /** Whether to ask sources whose answer is remembered. */
  fresh: boolean;
  requestId: string;
}

export interface EnrichmentInput extends EnrichmentRef {
  priority: LeadPriority;
}

export interface ScoreAfterEnrichment {
  score: number;
  band: ScoreBand;
}

/** The result of an enrichment; no score when the lead is gone. */
export interface EnrichmentView {
  enrichment: EnrichmentOutcome;
  score: number | null;
  band: ScoreBand | null;
}

/** Its activities on the task queue `lead`. */
export interface EnrichmentActivities {
  /** Enriches a lead whose onboarding is over. */
  enrichAgain: (input: EnrichmentRef) => Promise<EnrichResult>;
  /** Scores a lead by what is known now, and leaves the state of its onboarding alone. */
  scoreAfterEnrichment: (input: EnrichmentRef) => Promise<ScoreAfterEnrichment>;
  /** The same, as runs that are older than its name order it. */
  rescoreAfterEnrichment: (input: EnrichmentRef) => Promise<ScoreAfterEnrichment>;
}
