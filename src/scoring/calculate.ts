import type { ScoreBand } from '../../workflows/contract.ts';
import type { EnrichmentFields } from '../enrichment/provider.ts';
import { factsOf, type ScoredLead } from './fields.ts';
import { compileCondition, type Condition, ConditionError, type Verdict } from './language.ts';
import type { Reason, Rule, RuleSet } from './rule-set.ts';

export interface ScoreLine {
  rule: string;
  points: number;
  /** For people; it never quotes the lead. */
  reason: Reason;
}

export interface Score {
  /** Integer from 0 to 100. */
  score: number;
  band: ScoreBand;
  /** The ledger: its points sum to `score`. */
  lines: ScoreLine[];
  /** Rules that could not be calculated for this lead, and so did not apply. */
  failedRules: string[];
}

export interface CompiledRules {
  set: RuleSet;
  /** In the order of the set. */
  conditions: { rule: Rule; condition: Condition }[];
}

/** Compiles a rule set once for many leads. A rule that a stored set has and that no longer compiles never applies. */
export function compileRules(set: RuleSet): CompiledRules {
  return { set, conditions: set.rules.map((rule) => ({ rule, condition: compileOrFail(rule) })) };
}

function compileOrFail({ when }: Rule): Condition {
  try {
    return compileCondition(when);
  } catch (err) {
    if (!(err instanceof ConditionError)) throw err;
    return { judge: () => 'failed' };
  }
}

/**
 * Scores a lead: each rule that applies adds its points, a group is kept within its cap and the sum within 0 and 100,
 * each by a line of its own. Pure; `fields` is empty for a lead that was not enriched.
 * @param watch is told what came of each rule
 */
export function calculateScore(
  rules: CompiledRules,
  lead: ScoredLead,
  fields: EnrichmentFields,
  watch?: (rule: string, verdict: Verdict) => void,
): Score {
  const facts = factsOf(lead, fields);
  const applying: Rule[] = [];
  const failedRules: string[] = [];
  for (const { rule, condition } of rules.conditions) {
    const verdict = condition.judge(facts);
    if (verdict === 'applies') applying.push(rule);
    if (verdict === 'failed') failedRules.push(rule.rule);
    watch?.(rule.rule, verdict);
  }
  const lines = [...applying.map(toLine), ...capLines(rules.set, applying)];
  const sum = sumOf(lines);
  const score = Math.min(100, Math.max(0, sum));
  if (score !== sum) lines.push({ rule: 'limit', points: score - sum, reason: LIMIT });
  return { score, band: bandOf(score, rules.set.bands), lines, failedRules };
}

const LIMIT: Reason = {
  'pt-BR': 'Uma pontuação fica entre 0 e 100',
  en: 'A score stays within 0 and 100',
};

const toLine = ({ rule, points, reason }: Rule): ScoreLine => ({ rule, points, reason });
const sumOf = (lines: { points: number }[]) => lines.reduce((total, { points }) => total + points, 0);

function capLines({ groups }: RuleSet, applying: Rule[]): ScoreLine[] {
  return groups.flatMap(({ name, cap }) => {
    const over = sumOf(applying.filter(({ group }) => group === name)) - cap;
    if (over <= 0) return [];
    const reason = {
      'pt-BR': `As regras do grupo ${name} somam no máximo ${cap}`,
      en: `The rules of the group ${name} add at most ${cap}`,
    };
    return [{ rule: `cap.${name}`, points: -over, reason }];
  });
}

/** The band of a score by the bounds of a rule set. */
export function bandOf(score: number, bands: RuleSet['bands']): ScoreBand {
  if (score >= bands.HOT) return 'HOT';
  return score >= bands.WARM ? 'WARM' : 'COLD';
}
