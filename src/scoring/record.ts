import { v7 as uuidv7 } from 'uuid';
import { Prisma, type ScoreCause } from '../db/generated/client.ts';
import { bandOf, type Score, type ScoreLine } from './calculate.ts';
import type { VersionedRules } from './rule-book.ts';
import type { Reason, RuleSet } from './rule-set.ts';

export interface ScoredRow {
  leadId: string;
  calculated: CalculatedScore;
}
export type CalculatedScore = Pick<Score, 'score' | 'band' | 'lines'>;

/** What the scores of one call have in common. */
export interface ScoreOrigin extends VersionedRules {
  organizationId: string;
  cause: ScoreCause;
  /** Which the scores belong to, each lead once. */
  rescoreId?: string;
}

/**
 * Writes scores with their ledgers into the history and onto the leads, which the transaction has locked. A lead that
 * nothing changes for is left as it is.
 * @returns how many leads changed
 */
export async function recordScores(
  tx: Prisma.TransactionClient,
  { organizationId, version, rules, cause, rescoreId }: ScoreOrigin,
  rows: (ScoredRow & { calculated: Score })[],
): Promise<number> {
  const history = rows.map(({ leadId, calculated: { score, band, lines, failedRules } }) => ({
    id: uuidv7(),
    lead_id: leadId,
    score,
    band,
    lines,
    failed_rules: failedRules,
  }));
  await tx.$executeRaw`
    INSERT INTO score (id, lead_id, organization_id, rule_version, score, band, lines, failed_rules, cause, rescore_id)
    SELECT id, lead_id, ${organizationId}, ${version}::int, score, band, lines, failed_rules, ${cause}::score_cause, ${rescoreId ?? null}::uuid
    FROM jsonb_to_recordset(${JSON.stringify(history)}::jsonb)
         AS s(id uuid, lead_id uuid, score smallint, band text, lines jsonb, failed_rules text[])`;
  return putOnLeads(tx, rules.set.bands, rows);
}

/**
 * Puts scores onto their leads, which the transaction has locked; where somebody has set another, that one.
 * @returns how many leads changed
 */
export async function putOnLeads(
  tx: Prisma.TransactionClient,
  bands: RuleSet['bands'],
  rows: ScoredRow[],
): Promise<number> {
  const leadIds = rows.map(({ leadId }) => leadId);
  const overrides = await tx.scoreOverride.findMany({
    where: { leadId: { in: leadIds }, endedAt: null },
    select: { leadId: true, score: true },
  });
  const setByHand = new Map(overrides.map(({ leadId, score }) => [leadId, score]));
  const values = rows.map(({ leadId, calculated }) => {
    const { score, band, lines } = override(calculated, setByHand.get(leadId), bands);
    return { lead_id: leadId, score, band, breakdown: breakdownOf(lines) };
  });
  return tx.$executeRaw`
    INSERT INTO lead_score AS present (lead_id, organization_id, score, band, breakdown, lead_created_at)
    SELECT lead.id, lead.organization_id, s.score, s.band, s.breakdown, lead.created_at
    FROM jsonb_to_recordset(${JSON.stringify(values)}::jsonb)
         AS s(lead_id uuid, score smallint, band text, breakdown jsonb)
    JOIN lead ON lead.id = s.lead_id
    ON CONFLICT (lead_id) DO UPDATE SET score = EXCLUDED.score, band = EXCLUDED.band, breakdown = EXCLUDED.breakdown
    WHERE (present.score, present.band, present.breakdown)
          IS DISTINCT FROM (EXCLUDED.score, EXCLUDED.band, EXCLUDED.breakdown)`;
}

const OVERRIDDEN: Reason = { 'pt-BR': 'A pontuação foi definida por uma pessoa', en: 'The score was set by a person' };

/** The score in force: what a person has set has a line of its own, so that the lines sum to it as well. */
function override(calculated: CalculatedScore, score: number | undefined, bands: RuleSet['bands']): CalculatedScore {
  if (score === undefined) return calculated;
  const line = { rule: 'override', points: score - calculated.score, reason: OVERRIDDEN };
  return { score, band: bandOf(score, bands), lines: [...calculated.lines, line] };
}

/** The lines as a lead and its timeline carry them: with English reasons. */
export const breakdownOf = (lines: ScoreLine[]) =>
  lines.map(({ rule, points, reason }) => ({ rule, points, reason: reason.en }));
