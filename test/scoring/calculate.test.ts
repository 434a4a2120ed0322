import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { calculateScore, compileRules } from '../../src/scoring/calculate.ts';
import type { ScoredLead } from '../../src/scoring/fields.ts';
import { type RuleSet, ruleSetSchema } from '../../src/scoring/rule-set.ts';
import { LEAD_SOURCES } from '../../workflows/contract.ts';

const reason = { 'pt-BR': 'Porque sim', en: 'Because' };
const rule = (name: string, when: string, points: number, group?: string) => ({
  rule: name,
  when,
  points,
  reason,
  ...(group && { group }),
});
const ANA: ScoredLead = { email: 'ana@acme.example', phone: null, company: 'Acme', source: 'EVENT' };
const scoreBy = (set: object, lead = ANA) => calculateScore(compileRules(ruleSetSchema.parse(set)), lead, {});

describe('a score', () => {
  it('keeps a group within its cap by a line that says so', () => {
    const set = {
      groups: [{ name: 'who', cap: 15 }],
      rules: [rule('a', 'has(lead.email)', 10, 'who'), rule('b', 'has(lead.company)', 10, 'who'), rule('c', 'true', 5)],
    };
    const { score, lines } = scoreBy(set);
    expect(score).toBe(20);
    expect(lines.map((line) => [line.rule, line.points])).toEqual([
      ['a', 10],
      ['b', 10],
      ['c', 5],
      ['cap.who', -5],
    ]);
    expect(lines[3]?.reason).toEqual({
      'pt-BR': 'As regras do grupo who somam no máximo 15',
      en: 'The rules of the group who add at most 15',
    });
    expect(scoreBy({ ...set, groups: [{ name: 'who', cap: 20 }] }).lines).toHaveLength(3);
  });

  it('has its band by the bounds of the set', () => {
    const bands = { HOT: 20, WARM: 10 };
    const bandFor = (points: number) => scoreBy({ bands, rules: [rule('a', 'true', points)] }).band;
    expect([9, 10, 19, 20].map(bandFor)).toEqual(['COLD', 'WARM', 'WARM', 'HOT']);
  });

  it('counts a rule about something unknown as not applying, either way it asks', () => {
    const set = {
      rules: [
        rule('is', 'lead.phone == "1"', 10),
        rule('is-not', 'lead.phone != "1"', 10),
        rule('decided', 'lead.phone == "1" || has(lead.email)', 7),
      ],
    };
    expect(scoreBy(set)).toMatchObject({ score: 7, failedRules: [] });
  });

  it('names a rule that cannot be calculated, and goes on without it', () => {
    const set = { rules: [rule('broken', '1 / (size(lead.company) - 4) > 0', 10), rule('good', 'true', 5)] };
    expect(scoreBy(set)).toMatchObject({ score: 5, failedRules: ['broken'] });
    expect(scoreBy(set, { ...ANA, company: 'Other' })).toMatchObject({ score: 15, failedRules: [] });
  });

  it('goes on with a stored rule that this release no longer takes', () => {
    const set: RuleSet = {
      groups: [],
      bands: { HOT: 70, WARM: 40 },
      rules: [rule('old', 'lead.shoeSize == "43"', 50), rule('good', 'true', 5)],
    };
    expect(calculateScore(compileRules(set), ANA, {})).toMatchObject({ score: 5, failedRules: ['old'] });
  });
});

describe('for every rule set and lead', () => {
  const condition = fc.constantFrom(
    'true',
    'has(lead.email)',
    'lead.company.contains("a")',
    'lead.source in ["EVENT", "FORM"]',
    'lead.phone != "1"',
    'size(lead.company) / size(lead.phone) > 1',
  );
  const points = fc.integer({ min: -100, max: 100 }).filter((number) => number !== 0);
  const set = fc
    .record({
      caps: fc.array(fc.integer({ min: 1, max: 100 }), { maxLength: 3 }),
      rules: fc.array(fc.record({ when: condition, points, group: fc.nat(3) }), { minLength: 1, maxLength: 12 }),
    })
    .map(({ caps, rules }) => ({
      groups: caps.map((cap, index) => ({ name: `g${index}`, cap })),
      rules: rules.map(({ when, points: number, group }, index) =>
        rule(`r${index}`, when, number, group < caps.length ? `g${group}` : undefined),
      ),
    }));
  const text = fc.option(fc.string({ minLength: 1, maxLength: 10 }));
  const lead = fc.record({ email: text, phone: text, company: text, source: fc.constantFrom(...LEAD_SOURCES) });

  it('the score is an integer from 0 to 100 to which its lines sum', () => {
    fc.assert(
      fc.property(set, lead, (someSet, someLead) => {
        const { score, lines } = scoreBy(someSet, someLead);
        expect(Number.isInteger(score) && score >= 0 && score <= 100).toBe(true);
        expect(lines.reduce((sum, line) => sum + line.points, 0)).toBe(score);
        expect(new Set(lines.map((line) => line.rule)).size).toBe(lines.length);
      }),
    );
  });

  it('the order of the rules makes no difference', () => {
    const shuffled = set.chain((someSet) =>
      fc
        .shuffledSubarray(someSet.rules, { minLength: someSet.rules.length })
        .map((rules) => [someSet, { ...someSet, rules }] as const),
    );
    fc.assert(
      fc.property(shuffled, lead, ([one, other], someLead) => {
        const [first, second] = [scoreBy(one, someLead), scoreBy(other, someLead)];
        const byName = (a: { rule: string }, b: { rule: string }) => a.rule.localeCompare(b.rule);
        expect(second.score).toBe(first.score);
        expect(second.band).toBe(first.band);
        expect(second.lines.sort(byName)).toEqual(first.lines.sort(byName));
        expect(second.failedRules.sort()).toEqual(first.failedRules.sort());
      }),
    );
  });
});
