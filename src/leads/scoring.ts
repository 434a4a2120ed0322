import type { ScoreBand } from '../../workflows/contract.ts';
import { SCORE_RULES, type ScoredLead } from './scoring-rules.ts';
import type { EnrichmentFields } from '../enrichment/provider.ts';

/** The lowest score of a band; below `WARM` a lead is `COLD`. Why these: docs/scoring.md. */
export const BAND_FROM = { HOT: 70, WARM: 40 } as const;

export interface ScoreLine {
  rule: string;
  points: number;
  /** English, for people; it never quotes the lead. */
  reason: string;
}

export interface Score {
  /** Integer from 0 to 100. */
  score: number;
  band: ScoreBand;
  /** The lines sum to `score`. */
  breakdown: ScoreLine[];
}

/**
 * Scores a lead by the rules of docs/scoring.md: each rule that applies adds its points, and the sum is kept within
 * 0 and 100 by a line `limit` of its own. Pure; `fields` is empty for a lead that was not enriched.
 */
export function calculateScore(lead: ScoredLead, fields: EnrichmentFields): Score {
  const lines = SCORE_RULES.filter(({ when }) => when(lead, fields)).map(({ rule, points, reason }) => ({
    rule,
    points,
    reason,
  }));
  const sum = lines.reduce((total, { points }) => total + points, 0);
  const score = Math.min(100, Math.max(0, sum));
  const limit = { rule: 'limit', points: score - sum, reason: 'A score stays within 0 and 100' };
  return { score, band: bandOf(score), breakdown: score === sum ? lines : [...lines, limit] };
}

function bandOf(score: number): ScoreBand {
  if (score >= BAND_FROM.HOT) return 'HOT';
  return score >= BAND_FROM.WARM ? 'WARM' : 'COLD';
}
