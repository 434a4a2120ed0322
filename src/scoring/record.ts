import { v7 as uuidv7 } from 'uuid';
import { Prisma, type ScoreCause } from '../db/generated/client.ts';
import type { Score, ScoreLine } from './calculate.ts';

export interface ScoredRow {
  leadId: string;
  calculated: Score;
}

/** What the scores of one call have in common. */
export interface ScoreOrigin {
  organizationId: string;
  ruleVersion: number;
  cause: ScoreCause;
}

/**
 * Writes scores with their ledgers into the history and onto the leads, which the transaction has locked. A lead that
 * nothing changes for is left as it is.
 * @returns how many leads changed
 */
export async function recordScores(
  tx: Prisma.TransactionClient,
  { organizationId, ruleVersion, cause }: ScoreOrigin,
  rows: ScoredRow[],
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
    INSERT INTO score (id, lead_id, organization_id, rule_version, score, band, lines, failed_rules, cause)
    SELECT id, lead_id, ${organizationId}, ${ruleVersion}::int, score, band, lines, failed_rules, ${cause}::score_cause
    FROM jsonb_to_recordset(${JSON.stringify(history)}::jsonb)
         AS s(id uuid, lead_id uuid, score smallint, band score_band, lines jsonb, failed_rules text[])`;
  return putOnLeads(tx, rows);
}

/** Puts scores onto their leads. @returns how many leads changed */
async function putOnLeads(tx: Prisma.TransactionClient, rows: ScoredRow[]): Promise<number> {
  const values = rows.map(({ leadId, calculated: { score, band, lines } }) => ({
    lead_id: leadId,
    score,
    band,
    breakdown: breakdownOf(lines),
  }));
  return tx.$executeRaw`
    UPDATE lead SET score = s.score, score_band = s.band, score_breakdown = s.breakdown
    FROM jsonb_to_recordset(${JSON.stringify(values)}::jsonb)
         AS s(lead_id uuid, score smallint, band score_band, breakdown jsonb)
    WHERE lead.id = s.lead_id
      AND (lead.score, lead.score_band, lead.score_breakdown) IS DISTINCT FROM (s.score, s.band, s.breakdown)`;
}

/** The lines as a lead and its timeline carry them: with English reasons. */
export const breakdownOf = (lines: ScoreLine[]) =>
  lines.map(({ rule, points, reason }) => ({ rule, points, reason: reason.en }));
