import { readFile } from 'node:fs/promises';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { EnrichedField, EnrichmentFields, EmailKind, PhoneType } from '../../src/enrichment/provider.ts';
import { LEAD_SOURCES } from '../../src/leads/lead.ts';
import { SCORE_RULES, type ScoredLead } from '../../src/leads/scoring-rules.ts';
import { BAND_FROM, calculateScore } from '../../src/leads/scoring.ts';

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
const points = (lead: ScoredLead, fields: EnrichmentFields) =>
  Object.fromEntries(calculateScore(lead, fields).breakdown.map((line) => [line.rule, line.points]));

describe('the score', () => {
  it('of a complete lead with a company address and a mobile number is HOT', () => {
    const { score, band } = calculateScore(JOAO, fieldsOf('CORPORATE', 'MOBILE'));
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
    expect(calculateScore(JOAO, fields)).toMatchObject({ score: 65, band: 'WARM' });
    expect(calculateScore({ ...JOAO, source: 'EVENT' }, fields)).toMatchObject({ score: 70, band: 'HOT' });
    expect(calculateScore({ ...JOAO, source: 'REFERRAL' }, fields)).toMatchObject({ score: 80, band: 'HOT' });
  });

  it('of a lead that was not enriched still counts what it brought along', () => {
    expect(calculateScore(JOAO, {})).toMatchObject({ score: 45, band: 'WARM' });
  });

  it('of the best lead is exactly 100', () => {
    const { score, breakdown } = calculateScore({ ...JOAO, source: 'REFERRAL' }, fieldsOf('CORPORATE', 'MOBILE'));
    expect(score).toBe(100);
    expect(breakdown.map((line) => line.rule)).not.toContain('limit');
  });

  it('never falls below 0, and says so in a line of its own', () => {
    const { score, band, breakdown } = calculateScore({ ...NOBODY, email: 'a@b.example' }, fieldsOf('DISPOSABLE'));
    expect({ score, band }).toEqual({ score: 0, band: 'COLD' });
    expect(breakdown).toContainEqual({ rule: 'limit', points: 20, reason: 'A score stays within 0 and 100' });
  });

  it('of a lead of which nothing is known is 0, without a line', () => {
    expect(calculateScore(NOBODY, {})).toEqual({ score: 0, band: 'COLD', breakdown: [] });
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
        const { score, band, breakdown } = calculateScore(someLead, someFields);
        expect(Number.isInteger(score) && score >= 0 && score <= 100).toBe(true);
        expect(breakdown.reduce((sum, line) => sum + line.points, 0)).toBe(score);
        expect(band).toBe(score >= 70 ? 'HOT' : score >= 40 ? 'WARM' : 'COLD');
        expect(new Set(breakdown.map((line) => line.rule)).size).toBe(breakdown.length);
      }),
    );
  });

  it('no line quotes the lead', () => {
    const known = new Set([...SCORE_RULES.map(({ reason }) => reason), 'A score stays within 0 and 100']);
    fc.assert(
      fc.property(lead, fields, (someLead, someFields) => {
        for (const { reason } of calculateScore(someLead, someFields).breakdown) expect(known).toContain(reason);
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
      .filter(([, rule]) => rule?.includes('.'))
      .map(([, rule, number, reason]) => [rule, Number(number), reason]);
    expect(rules).toEqual(SCORE_RULES.map(({ rule, points: number, reason }) => [rule, number, reason]));

    const bands = rows
      .filter(([, name]) => /^(HOT|WARM|COLD)$/.test(name ?? ''))
      .map(([, name, range]) => [name, range]);
    expect(bands).toEqual([
      ['HOT', `${BAND_FROM.HOT}–100`],
      ['WARM', `${BAND_FROM.WARM}–${BAND_FROM.HOT - 1}`],
      ['COLD', `0–${BAND_FROM.WARM - 1}`],
    ]);
  });
});
