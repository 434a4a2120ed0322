import { uuidv7 } from 'uuidv7';
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
  const history = JSON.stringify(rows.map(toHistory));
  await tx.$executeRaw`
    SELECT add_scores(${organizationId}, ${version}::int, ${cause}::score_cause, ${rescoreId ?? null}::uuid, ${history}::jsonb)`;
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
  const present = JSON.stringify(rows.map((row) => toPresent(row, setByHand.get(row.leadId), bands)));
  const [answer] = await tx.$queryRaw<{ changed: number }[]>`SELECT put_scores(${present}::jsonb) AS changed`;
  return answer?.changed ?? 0;
}

/** A score as `add_scores` takes it. */
export const toHistory = ({ leadId, calculated }: ScoredRow & { calculated: Score }) => {
  const { score, band, lines, failedRules } = calculated;
  return { id: uuidv7(), lead_id: leadId, score, band, lines, failed_rules: failedRules };
};

/** The score in force as `put_scores` takes it. @param setByHand a person's score, which counts instead */
export function toPresent({ leadId, calculated }: ScoredRow, setByHand: number | undefined, bands: RuleSet['bands']) {
  const { score, band, lines } = override(calculated, setByHand, bands);
  return { lead_id: leadId, score, band, breakdown: breakdownOf(lines) };
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
