import fc from 'fast-check';
import { cpuMs } from '../support/cpu.ts';
import { describe, expect, it } from 'vitest';
import { factsOf } from '../../src/scoring/fields.ts';
import { compileCondition, ConditionError } from '../../src/scoring/language.ts';
import { ruleSetSchema } from '../../src/scoring/rule-set.ts';

const RULE = { rule: 'company.given', when: 'has(lead.company)', points: 10, reason: { 'pt-BR': 'Sim', en: 'Yes' } };

const GROUP = { name: 'web', cap: 10 };

/** The first issue of a set, as `path: message`. */
function issueOf(set: object): string {
  const { error } = ruleSetSchema.safeParse(set);
  const [issue] = error?.issues ?? [];
  return issue ? `${issue.path.join('.')}: ${issue.message}` : 'none';
}

const withCondition = (when: string) => ({ rules: [{ ...RULE, when }] });

describe('a rule set', () => {
  it('has bands and no groups unless it says so', () => {
    expect(ruleSetSchema.parse({ rules: [RULE] })).toEqual({
      groups: [],
      bands: { HOT: 70, WARM: 40 },
      rules: [RULE],
    });
  });

  it.each([
    ['no rule', { rules: [] }, 'rules: must be at least one'],
    ['a name that is not one', { rules: [{ ...RULE, rule: 'E-Mail' }] }, /^rules\.0\.rule: must be lower case/],
    ['a name of our own', { rules: [{ ...RULE, rule: 'limit' }] }, /^rules\.0\.rule: is kept for lines of our own/],
    [
      'a name of an override',
      { rules: [{ ...RULE, rule: 'override' }] },
      /^rules\.0\.rule: is kept for lines of our own/,
    ],
    ['a name of a cap', { rules: [{ ...RULE, rule: 'cap.web' }] }, /^rules\.0\.rule: is kept for lines of our own/],
    ['a name twice', { rules: [RULE, RULE] }, 'rules.1.rule: there is a rule company.given already'],
    ['a group that is not there', { rules: [{ ...RULE, group: 'web' }] }, 'rules.0.group: there is no group web'],
    ['a group twice', { rules: [RULE], groups: [GROUP, GROUP] }, 'groups.1.name: there is a group web already'],
    [
      'a group whose name is not one',
      { rules: [RULE], groups: [{ ...GROUP, name: 'Web' }] },
      'groups.0.name: must be like a rule name',
    ],
    [
      'too many groups',
      { rules: [RULE], groups: Array.from({ length: 21 }, () => GROUP) },
      'groups: must be at most 20',
    ],
    ['points past -100', { rules: [{ ...RULE, points: -101 }] }, 'rules.0.points: must be from -100 to 100'],
    ['points past 100', { rules: [{ ...RULE, points: 101 }] }, 'rules.0.points: must be from -100 to 100'],
    ['no points', { rules: [{ ...RULE, points: 0 }] }, 'rules.0.points: must not be 0'],
    ['half a point', { rules: [{ ...RULE, points: 0.5 }] }, 'rules.0.points: must be a whole number'],
    ['bands out of order', { rules: [RULE], bands: { HOT: 40, WARM: 40 } }, 'bands.HOT: must be above WARM'],
    ['a reason in one language', { rules: [{ ...RULE, reason: { en: 'Yes' } }] }, /^rules\.0\.reason\.pt-BR: /],
    [
      'too long a condition',
      withCondition(`has(lead.email)${' && has(lead.email)'.repeat(50)}`),
      /^rules\.0\.when: must/,
    ],
    ['too many rules', { rules: Array.from({ length: 101 }, () => RULE) }, 'rules: must be at most 100'],
    ['an unknown part', { rules: [RULE], wehn: 1 }, /^: Unrecognized key/],
  ])('with %s is refused', (_what, set, expected) => {
    if (typeof expected === 'string') expect(issueOf(set)).toBe(expected);
    else expect(issueOf(set)).toMatch(expected);
  });
});

describe('a condition', () => {
  it.each([
    'has(lead.email) && lead.source in ["EVENT", "PARTNER"]',
    'lead.company.lowerAscii().contains("acme") || !has(enrichment.country)',
    'size(lead.company) > 3 ? enrichment.country == "BR" : false',
    'lead.email.endsWith(".br") && lead.email.size() * 2 + 1 >= 10 + size(lead.company)',
    'lead.email.startsWith("a") || lead.email.upperAscii().trim() == "A"',
    '1 + 2 <= size(lead.email)',
    'size(lead.email) + size(lead.phone) > 9',
    'lead.email.size() + lead.phone.size() > 9',
    '-size(lead.email) + -size(lead.phone) < -9',
    ...['+', '-', '*', '/', '%'].map((by) => `(size(lead.email) ${by} 2) + (size(lead.phone) ${by} 2) > 9`),
    'true',
  ])('%s is taken', (when) => {
    expect(issueOf(withCondition(when))).toBe('none');
  });

  it.each([
    ['lead.emial == "x"', 'column 6: lead has no emial: there is email, phone, company, source, priority, locale'],
    ['has(lead.emial)', 'column 10: lead has no emial'],
    ['has(lead.email) &&\n  lead.nope == "x"', 'line 2, column 8: lead has no nope'],
    ['lead.name == "Ana"', 'column 6: lead has no name'],
    ['enrichment.siteTitle == "x"', 'column 12: enrichment has no siteTitle'],
    ['toString == "x"', 'column 1: there is no toString'],
    ['lead.constructor == "x"', 'column 6: lead has no constructor'],
    ['leads.email == "x"', 'column 1: there is no leads: there is lead, enrichment'],
    ['lead.email == 3', 'column 1: no such overload: string == int'],
    ['lead.email', 'column 1: this is of the type string; it must say true or false'],
    ['size(lead.email) + 1', 'column 1: this is of the type int; it must say true or false'],
    ['lead.source == "WEB"', 'column 16: it is never "WEB": it is WEBSITE, FORM'],
    ['"CORPORATIVE" != enrichment.emailKind', 'column 1: it is never "CORPORATIVE"'],
    ['enrichment.phoneType in ["MOBILE", "MOBIL"]', 'column 36: it is never "MOBIL"'],
    ['lead.email == null', 'column 15: null is not used here'],
    ['(lead.email + lead.email).contains("a")', 'column 2: + adds whole numbers only'],
    ['lead.email.trim() + lead.phone.trim() == "x"', 'column 1: + adds whole numbers only'],
    ['"a" + "b" == lead.email', 'column 1: + adds whole numbers only'],
    ['lead.source == x', 'column 16: there is no x'],
    ['lead.source == 1', 'column 1: no such overload: string == int'],
    ['lead.email.nope == "x"', "column 12: Cannot index type 'string'"],
    ['lead.email ==', 'column 14: Unexpected token'],
    [
      'lead.email.matches("(a+)+$")',
      '.matches() is not available: use .startsWith(), .endsWith(), .contains(), .lowerAscii(), .upperAscii(), .trim(), .size()',
    ],
    ['["a"].exists(x, x == lead.email)', 'is not available'],
    ['dyn(lead).name == "x"', 'column 1: dyn() is not available'],
    ['lead["name"] == "x"', 'column 1: [] is not available in rules'],
    ['timestamp("2026-01-01T00:00:00Z") < timestamp("x")', 'column 1: timestamp() is not available'],
    ['cel.bind(x, lead.email, x == "")', 'is not available'],
    ['{"a": 1} == {"a": 1}', 'Exceeded'],
    ['has()', 'column 1: '],
    ['has("x")', 'column 1: has() takes a field'],
    [`${'('.repeat(60)}true${')'.repeat(60)}`, 'Exceeded'],
  ])('%s is refused', (when, message) => {
    const issue = issueOf(withCondition(when));
    expect(issue).toMatch(/^rules\.0\.when: rule company\.given, (line \d+, )?column \d+: /);
    expect(issue).toContain(message);
  });
});

it('the line of a fault is named only in a condition of several', () => {
  expect(issueOf(withCondition('lead.nope == "x"'))).toMatch(/given, column 6: lead has no nope/);
  expect(issueOf(withCondition('true &&\nlead.nope == "x"'))).toMatch(/given, line 2, column 6: lead has no nope/);
});

describe('any text', () => {
  const token = fc.constantFrom(
    ...['lead', 'enrichment', '.email', '.source', '.emailKind', '.nope', '.contains(', '.matches(', 'has(', 'size('],
    ...[
      'dyn(',
      'type(',
      '"FREE"',
      "'x'",
      '1',
      '99999999999999999999',
      '0.5',
      'b"x"',
      'true',
      'null',
      '(',
      ')',
      '[',
      ']',
    ],
    ...['{', '}', ',', ' == ', ' != ', ' in ', ' && ', ' || ', '!', '-', ' + ', ' / ', ' ? ', ' : ', ' < ', '\n', '//'],
  );
  const tokens = fc.array(token, { maxLength: 15 }).map((parts) => parts.join(''));
  const field = fc.constantFrom('lead.email', 'lead.company', 'enrichment.emailKind', 'enrichment.country');
  const atom = fc.oneof(
    field.map((name) => `has(${name})`),
    fc.tuple(field, fc.constantFrom('==', '!=', '<', '>=')).map(([name, operator]) => `${name} ${operator} "FREE"`),
    fc.tuple(field, field).map(([name, other]) => `${name}.contains(${other})`),
    fc.tuple(field, fc.integer({ min: -2, max: 2 })).map(([name, by]) => `size(${name}) / ${by} > 1`),
  );
  const grammatical = fc.array(atom, { minLength: 1, maxLength: 6 }).map((parts) => parts.join(' || '));
  const lead = { email: 'ana@acme.example', phone: null, company: 'Acme', source: 'EVENT' as const };

  it('is either a condition with a verdict or refused with its column', () => {
    const seen = { taken: 0, refused: 0 };
    fc.assert(
      fc.property(fc.oneof(tokens, grammatical, fc.string({ maxLength: 30, unit: 'binary' })), (when) => {
        try {
          const verdict = compileCondition(when).judge(factsOf(lead, {}));
          expect(['applies', 'does-not-apply', 'unknown', 'failed']).toContain(verdict);
          seen.taken += 1;
        } catch (err) {
          expect(err).toBeInstanceOf(ConditionError);
          expect((err as Error).message).toMatch(/^(line \d+, )?column \d+: ./);
          seen.refused += 1;
        }
      }),
      { numRuns: 3_000 },
    );
    expect(Math.min(seen.taken, seen.refused)).toBeGreaterThan(300);
  });

  it('that is taken costs next to nothing to judge, however it was written', async () => {
    const longest = Array.from({ length: 12 }, () => 'lead.company.contains(lead.email)')
      .join(' || ')
      .slice(0, 500);
    const condition = compileCondition(longest.slice(0, longest.lastIndexOf(' || ')));
    const facts = factsOf({ ...lead, email: `b${'a'.repeat(253)}`, company: 'a'.repeat(200) }, {});
    const judge = () => {
      for (let time = 0; time < 100; time += 1) expect(condition.judge(facts)).toBe('does-not-apply');
    };
    expect(await cpuMs(judge)).toBeLessThan(50);
  });
});
