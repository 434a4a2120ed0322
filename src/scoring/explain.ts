import type { ScoreBand } from '../../workflows/contract.ts';
import type { Prisma, Score as ScoreRow, ScoreOverride } from '../db/generated/client.ts';
import type { Locale } from '../leads/lead.ts';
import { getLead } from '../leads/read.ts';
import type { ScoreLine } from './calculate.ts';
import { WORDS } from './words.ts';

/** Entries of the history that are told. */
const TOLD = 50;

/**
 * Explains the score of a lead: the one in force, how it was calculated, who has set it, and those before.
 * @param locale of the words; by default the lead's own
 * @throws LeadNotFound
 */
export async function explainScore(db: Prisma.TransactionClient, leadId: string, locale?: Locale) {
  const { lead } = await getLead(db, leadId);
  const language: Locale = locale ?? (lead.locale === 'en' ? 'en' : 'pt-BR');
  const history = await db.score.findMany({
    where: { leadId },
    orderBy: [{ at: 'desc' }, { id: 'desc' }],
    take: TOLD,
  });
  const overridden = await db.scoreOverride.findFirst({ where: { leadId, endedAt: null } });
  const [latest] = history;
  return {
    leadId,
    score: lead.score,
    band: lead.scoreBand,
    text: toText(language, lead, latest, overridden),
    calculated: latest
      ? { ...toEntry(latest), lines: linesIn(language, latest), failedRules: latest.failedRules }
      : null,
    override: overridden && {
      score: overridden.score,
      reason: overridden.reason,
      by: overridden.setBy,
      at: overridden.setAt.toISOString(),
    },
    history: history.map(toEntry),
  };
}

const toEntry = ({ score, band, ruleVersion, cause, at }: ScoreRow) => ({
  score,
  band: band as ScoreBand,
  ruleVersion,
  cause,
  at: at.toISOString(),
});

const linesIn = (language: Locale, { lines }: ScoreRow) =>
  (lines as unknown as ScoreLine[]).map(({ rule, points, reason }) => ({ rule, points, reason: reason[language] }));

function toText(
  language: Locale,
  lead: { score: number | null; scoreBand: ScoreBand | null },
  calculated: ScoreRow | undefined,
  overridden: ScoreOverride | null,
): string {
  const words = WORDS[language];
  if (lead.score === null || lead.scoreBand === null || !calculated) return words.notScored;
  const sentences = [words.score(lead.score, lead.scoreBand)];
  if (overridden) sentences.push(words.override(overridden.score, calculated.score, overridden.reason));
  const lines = linesIn(language, calculated);
  sentences.push(...(lines.length === 0 ? [words.noRule] : lines.map(words.line)));
  sentences.push(...calculated.failedRules.map(words.failed));
  return sentences.join('\n');
}
