import { readFile } from 'node:fs/promises';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { EnrichedField, EnrichmentFields, EmailKind, PhoneType } from '../../src/enrichment/provider.ts';
import { BUILT_IN, BUILT_IN_RULES } from '../../src/scoring/built-in.ts';
import { calculateScore } from '../../src/scoring/calculate.ts';
import { RULE_VARIABLES, type ScoredLead } from '../../src/scoring/fields.ts';
import { ruleSetSchema } from '../../src/scoring/rule-set.ts';
import { LEAD_SOURCES } from '../../workflows/contract.ts';

const JOAO: ScoredLead = {
  email: 'joao@example.com',
  phone: '+55 11 98765-4321',
  company: 'Acme Corp',
  source: 'WEBSITE',
};
const NOBODY: ScoredLead = { email: null, phone: null, company: null, source: 'OTHER' };

const found = <Value>(value: Value): EnrichedField<Value> => ({
  value,
  source: 'test',
  method: 'normalised',
  fetchedAt: '2026-01-01T00:00:00.000Z',
  confidence: 1,
});
const fieldsOf = (kind?: EmailKind, phone?: PhoneType): EnrichmentFields => ({
  ...(kind && { emailKind: found(kind) }),
  ...(phone && { phoneType: found(phone) }),
});
const scoreOf = (lead: ScoredLead, fields: EnrichmentFields) => calculateScore(BUILT_IN, lead, fields);
const points = (lead: ScoredLead, fields: EnrichmentFields) =>
  Object.fromEntries(scoreOf(lead, fields).lines.map((line) => [line.rule, line.points]));

describe('the score', () => {
  it('of a complete lead with a company address and a mobile number is HOT', () => {
    const { score, band } = scoreOf(JOAO, fieldsOf('CORPORATE', 'MOBILE'));
    expect({ score, band }).toEqual({ score: 85, band: 'HOT' });
    expect(points(JOAO, fieldsOf('CORPORATE', 'MOBILE'))).toEqual({
      'email.corporate': 30,
      'phone.mobile': 20,
      'company.given': 15,
      'contact.complete': 10,
      'source.website': 10,
    });
  });

  it('of the same lead with a free mailbox is WARM, and HOT from an event or by referral', () => {
    const fields = fieldsOf('FREE', 'MOBILE');
    expect(scoreOf(JOAO, fields)).toMatchObject({ score: 65, band: 'WARM' });
    expect(scoreOf({ ...JOAO, source: 'EVENT' }, fields)).toMatchObject({ score: 70, band: 'HOT' });
    expect(scoreOf({ ...JOAO, source: 'REFERRAL' }, fields)).toMatchObject({ score: 80, band: 'HOT' });
  });

  it('of a lead that was not enriched still counts what it brought along', () => {
    expect(scoreOf(JOAO, {})).toMatchObject({ score: 45, band: 'WARM' });
  });

  it('of the best lead is exactly 100', () => {
    const { score, lines } = scoreOf({ ...JOAO, source: 'REFERRAL' }, fieldsOf('CORPORATE', 'MOBILE'));
    expect(score).toBe(100);
    expect(lines.map((line) => line.rule)).not.toContain('limit');
  });

  it('never falls below 0, and says so in a line of its own', () => {
    const { score, band, lines } = scoreOf({ ...NOBODY, email: 'a@b.example' }, fieldsOf('DISPOSABLE'));
    expect({ score, band }).toEqual({ score: 0, band: 'COLD' });
    expect(lines).toContainEqual({
      rule: 'limit',
      points: 20,
      reason: { 'pt-BR': 'Uma pontuação fica entre 0 e 100', en: 'A score stays within 0 and 100' },
    });
  });

  it('of a lead of which nothing is known is 0, without a line', () => {
    expect(scoreOf(NOBODY, {})).toEqual({ score: 0, band: 'COLD', lines: [], failedRules: [] });
  });

  it.each([
    ['a fixed line', 'FIXED_LINE', { 'phone.fixed': 15 }],
    ['a line that may be a mobile', 'FIXED_LINE_OR_MOBILE', { 'phone.mobile': 20 }],
    ['a toll-free number', 'TOLL_FREE', { 'phone.other': 5 }],
  ] as const)('counts %s', (_what, type, expected) => {
    expect(points({ ...NOBODY, phone: '1' }, fieldsOf(undefined, type))).toEqual(expected);
  });

  it('gives nothing for a phone number that enrichment could not read', () => {
    expect(points({ ...NOBODY, phone: 'none of your business' }, {})).toEqual({});
  });
});

describe('for every lead', () => {
  const text = fc.option(fc.string({ minLength: 1 }));
  const lead = fc.record({ email: text, phone: text, company: text, source: fc.constantFrom(...LEAD_SOURCES) });
  const fields = fc
    .tuple(
      fc.constantFrom<(EmailKind | undefined)[]>('CORPORATE', 'FREE', 'DISPOSABLE', undefined),
      fc.constantFrom<(PhoneType | undefined)[]>('MOBILE', 'FIXED_LINE', 'VOIP', 'TOLL_FREE', 'OTHER', undefined),
    )
    .map(([kind, phone]) => fieldsOf(kind, phone));

  it('the score is an integer from 0 to 100 to which its lines sum, and the band follows from it', () => {
    fc.assert(
      fc.property(lead, fields, (someLead, someFields) => {
        const { score, band, lines } = scoreOf(someLead, someFields);
        expect(Number.isInteger(score) && score >= 0 && score <= 100).toBe(true);
        expect(lines.reduce((sum, line) => sum + line.points, 0)).toBe(score);
        expect(band).toBe(score >= 70 ? 'HOT' : score >= 40 ? 'WARM' : 'COLD');
        expect(new Set(lines.map((line) => line.rule)).size).toBe(lines.length);
      }),
    );
  });

  it('no line quotes the lead', () => {
    const known = new Set([...BUILT_IN_RULES.rules.map(({ reason }) => reason.en), 'A score stays within 0 and 100']);
    fc.assert(
      fc.property(lead, fields, (someLead, someFields) => {
        for (const { reason } of scoreOf(someLead, someFields).lines) expect(known).toContain(reason.en);
      }),
    );
  });

  it('every rule can be calculated', () => {
    fc.assert(
      fc.property(lead, fields, (someLead, someFields) => {
        expect(scoreOf(someLead, someFields).failedRules).toEqual([]);
      }),
    );
  });
});

describe('docs/scoring.md', () => {
  it('gives the rules and bands that are in force', async () => {
    const page = await readFile(new URL('../../docs/scoring.md', import.meta.url), 'utf8');
    const rows = page
      .split('\n')
      .filter((line) => /^\| `/.test(line))
      .map((line) => line.split('|').map((cell) => cell.trim().replaceAll('`', '')));

    const rules = rows
      .filter(([, rule]) => rule?.includes('.') && !/^(lead|enrichment)\./.test(rule))
      .map(([, rule, when, number, reason]) => [rule, when, Number(number), reason]);
    expect(rules).toEqual(
      BUILT_IN_RULES.rules.map(({ rule, when, points: number, reason }) => [rule, when, number, reason.en]),
    );

    const { HOT, WARM } = BUILT_IN_RULES.bands;
    const bands = rows
      .filter(([, name]) => /^(HOT|WARM|COLD)$/.test(name ?? ''))
      .map(([, name, range]) => [name, range]);
    expect(bands).toEqual([
      ['HOT', `${HOT}–100`],
      ['WARM', `${WARM}–${HOT - 1}`],
      ['COLD', `0–${WARM - 1}`],
    ]);
  });

  it('names the fields that rules may read, and what they hold', async () => {
    const page = await readFile(new URL('../../docs/scoring.md', import.meta.url), 'utf8');
    for (const [variable, known] of Object.entries(RULE_VARIABLES)) {
      for (const [name, { about, values }] of Object.entries(known)) {
        const row = page.split('\n').find((line) => line.startsWith(`| \`${variable}.${name}\``));
        expect(row, `${variable}.${name}`).toContain(about);
        for (const value of values ?? []) expect(row).toContain(`\`${value}\``);
      }
    }
  });
});

describe('the built-in rules', () => {
  it('may be sent back as rules of an own set', () => {
    expect(ruleSetSchema.parse(BUILT_IN_RULES)).toEqual(BUILT_IN_RULES);
  });
});
