import { Environment, EvaluationError, ParseError } from '@marcbachmann/cel-js';
import { EnrichmentFacts, type Facts, LeadFacts, RULE_VARIABLES } from './fields.ts';
import { type Fault, findForbidden } from './permitted.ts';

/**
 * What a condition says of a lead. `unknown`: it asks for a field that the lead lacks, and nothing else in it decides;
 * `failed`: it cannot be calculated for this lead.
 */
export type Verdict = 'applies' | 'does-not-apply' | 'unknown' | 'failed';

export interface Condition {
  judge(facts: Facts): Verdict;
}

/** Structural bounds, https://www.npmjs.com/package/@marcbachmann/cel-js: with them a condition takes microseconds. */
const LIMITS = { maxAstNodes: 250, maxDepth: 25, maxListElements: 100, maxMapEntries: 0, maxCallArguments: 4 };

const environment = new Environment({ limits: LIMITS })
  .registerType('Lead', { ctor: LeadFacts, fields: typesOf('lead') })
  .registerType('Enrichment', { ctor: EnrichmentFacts, fields: typesOf('enrichment') })
  .registerVariable('lead', 'Lead')
  .registerVariable('enrichment', 'Enrichment');

function typesOf(variable: string): Record<string, string> {
  return Object.fromEntries(Object.keys(RULE_VARIABLES[variable] ?? {}).map((name) => [name, 'string']));
}

/**
 * Compiles a condition in CEL (https://cel.dev), checked against the types of what it reads.
 * @throws ConditionError with the first fault and its column.
 */
export function compileCondition(text: string): Condition {
  const evaluate = parse(text);
  const forbidden = findForbidden(evaluate.ast);
  if (forbidden) throw new ConditionError(text, forbidden);
  const { valid, type, error } = evaluate.check();
  if (!valid)
    throw new ConditionError(text, { message: error?.summary ?? 'is not valid', at: error?.range?.start ?? 0 });
  if (type !== 'bool') {
    throw new ConditionError(text, {
      message: `this is of the type ${String(type)}; it must say true or false`,
      at: 0,
    });
  }
  return {
    judge(facts) {
      try {
        return evaluate({ ...facts }) === true ? 'applies' : 'does-not-apply';
      } catch (err) {
        return err instanceof EvaluationError && err.code === 'no_such_key' ? 'unknown' : 'failed';
      }
    },
  };
}

function parse(text: string) {
  try {
    return environment.parse(text);
  } catch (err) {
    if (!(err instanceof ParseError)) throw err;
    throw new ConditionError(text, { message: err.summary, at: err.range?.start ?? 0 });
  }
}

/** A condition that cannot be used. Its message begins with the column, counted from 1. */
export class ConditionError extends Error {
  override name = 'ConditionError';
  constructor(text: string, { message, at }: Fault) {
    const before = text.slice(0, at).split('\n');
    const column = `column ${(before.at(-1)?.length ?? 0) + 1}`;
    super(`${before.length > 1 ? `line ${before.length}, ` : ''}${column}: ${message}`);
  }
}
