import { z } from '@hono/zod-openapi';
import { LOCALES } from '../leads/lead.ts';
import { name, text } from '../db/text.ts';
import { compileCondition, ConditionError } from './language.ts';

const MAX_RULES = 100;
const MAX_GROUPS = 20;
const MAX_CONDITION = 500;

/** Names stand in scores and logs. Lines of our own begin with `cap.` or are one of these. */
const OWN_LINES = ['limit', 'override'];
const NAME = /^[a-z][a-z0-9]*([._-][a-z0-9]+)*$/;
const ruleName = text(60)
  .regex(NAME, 'must be lower case letters, digits and . _ - between them, as in email.corporate')
  .refine((name) => !OWN_LINES.includes(name) && !name.startsWith('cap.'), 'is kept for lines of our own');

const reason = z.strictObject({ 'pt-BR': text(200), en: text(200) } satisfies Record<
  (typeof LOCALES)[number],
  unknown
>);

const ruleSchema = z.strictObject({
  rule: ruleName.openapi({ description: 'Names the rule in every score' }),
  group: text(60).optional(),
  when: text(MAX_CONDITION).openapi({ description: 'A condition in CEL', example: 'has(lead.company)' }),
  points: z
    .number()
    .int('must be a whole number')
    .min(-100, 'must be from -100 to 100')
    .max(100, 'must be from -100 to 100')
    .refine((points) => points !== 0, 'must not be 0'),
  reason: reason.openapi({ description: 'For people; shown with the points' }),
});

const bands = z
  .strictObject({ HOT: z.number().int().min(2).max(100), WARM: z.number().int().min(1).max(99) })
  .refine(({ HOT, WARM }) => HOT > WARM, { path: ['HOT'], message: 'must be above WARM' });

/** The parts of a rule set, for the bodies that carry one. */
export const ruleSetFields = {
  name: name(100).optional(),
  groups: z
    .array(
      z.strictObject({ name: text(40).regex(NAME, 'must be like a rule name'), cap: z.number().int().min(1).max(100) }),
    )
    .max(MAX_GROUPS, `must be at most ${MAX_GROUPS}`)
    .default([])
    .openapi({ description: 'The rules of a group add at most `cap` points together' }),
  rules: z.array(ruleSchema).min(1, 'must be at least one').max(MAX_RULES, `must be at most ${MAX_RULES}`),
  bands: bands.default({ HOT: 70, WARM: 40 }).openapi({ description: 'The lowest score of a band; below, COLD' }),
};

const bare = z.strictObject(ruleSetFields);

/** What a score is calculated by. */
export type RuleSet = z.infer<typeof bare>;
export type Rule = RuleSet['rules'][number];
export type Reason = Rule['reason'];

/** For `superRefine`: adds what the shape alone does not say, with the rule and the column at fault. */
export function checkRuleSet(set: RuleSet, context: z.RefinementCtx): void {
  const refuse = (path: (string | number)[], message: string) => context.addIssue({ code: 'custom', path, message });
  const groups = new Set<string>();
  set.groups.forEach(({ name }, index) => {
    if (groups.has(name)) refuse(['groups', index, 'name'], `there is a group ${name} already`);
    groups.add(name);
  });
  const names = new Set<string>();
  set.rules.forEach(({ rule, group, when }, index) => {
    if (names.has(rule)) refuse(['rules', index, 'rule'], `there is a rule ${rule} already`);
    names.add(rule);
    if (group !== undefined && !groups.has(group)) refuse(['rules', index, 'group'], `there is no group ${group}`);
    try {
      compileCondition(when);
    } catch (err) {
      if (!(err instanceof ConditionError)) throw err;
      refuse(['rules', index, 'when'], `rule ${rule}, ${err.message}`);
    }
  });
}

/** A rule set on its own. */
export const ruleSetSchema = bare.superRefine(checkRuleSet);
