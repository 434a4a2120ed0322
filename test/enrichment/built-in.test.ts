import { describe, expect, it } from 'vitest';
import { builtInProviders } from '../../src/enrichment/built-in.ts';
import { enrich } from '../../src/enrichment/enrich.ts';
import type { FieldValues, LeadFacts } from '../../src/enrichment/provider.ts';
import { BUILT_IN } from '../../src/scoring/built-in.ts';
import { calculateScore } from '../../src/scoring/calculate.ts';
import { context, leadWith, valuesOf } from './support.ts';

const enrichBuiltIn = (lead: LeadFacts) => enrich(lead, builtInProviders, context());
const fieldsOf = async (facts: Partial<LeadFacts>): Promise<Partial<FieldValues>> =>
  valuesOf(await enrichBuiltIn(leadWith(facts)));

const JOAO = leadWith({ email: 'joao@example.com', phone: '+55 11 98765-4321', company: 'Acme Corp' });

describe('João Silva of Acme Corp', () => {
  it('is known by address, number, company and country', async () => {
    expect(valuesOf(await enrichBuiltIn(JOAO))).toEqual({
      normalisedEmail: 'joao@example.com',
      emailDomain: 'example.com',
      emailKind: 'CORPORATE',
      phoneE164: '+5511987654321',
      phoneCountry: 'BR',
      phoneType: 'MOBILE',
      companyDomain: 'example.com',
      country: 'BR',
    });
  });

  it('has each value with its source, method, time and confidence', async () => {
    const { fields, providers, outcome } = await enrichBuiltIn(JOAO);
    expect(fields.phoneE164).toEqual({
      value: '+5511987654321',
      source: 'phone',
      method: 'numbering-plan',
      fetchedAt: '2026-01-02T03:04:05.678Z',
      confidence: 0.95,
    });
    expect(providers).toEqual([
      { provider: 'email', answer: 'found' },
      { provider: 'phone', answer: 'found' },
      { provider: 'company', answer: 'found' },
    ]);
    expect(outcome).toBe('completed');
  });

  it('scores 85, HOT, from the web site', async () => {
    const { fields } = await enrichBuiltIn(JOAO);
    expect(calculateScore(BUILT_IN, { ...JOAO, source: 'WEBSITE' }, fields)).toMatchObject({ score: 85, band: 'HOT' });
  });
});

describe('an e-mail address', () => {
  it.each([
    ['joao@gmail.com', 'FREE'],
    ['joao@uol.com.br', 'FREE'],
    ['joao@bol.com.br', 'FREE'],
    ['joao@outlook.com', 'FREE'],
    ['joao@tutanota.com', 'FREE'],
    ['joao@mailinator.com', 'DISPOSABLE'],
    ['joao@anything.mailinator.com', 'DISPOSABLE'],
    ['joao@yopmail.com', 'DISPOSABLE'],
    ['joao@petrobras.com.br', 'CORPORATE'],
    ['joao@prefeitura.sp.gov.br', 'CORPORATE'],
    ['joao@acme.blogspot.com', 'CORPORATE'],
    ['joao@bücher.de', 'CORPORATE'],
    // msk.ru is listed as a mail provider, and is a suffix under which companies have their domains.
    ['joao@acme.msk.ru', 'CORPORATE'],
    ['joao@acme.internal', undefined],
    ['joao@acme.test', undefined],
  ] as const)('%s is %s', async (email, kind) => {
    expect((await fieldsOf({ email })).emailKind).toBe(kind);
  });

  it('of an international domain is kept in punycode', async () => {
    expect(await fieldsOf({ email: ' João@BÜCHER.de ' })).toEqual({
      normalisedEmail: 'joão@xn--bcher-kva.de',
      emailDomain: 'xn--bcher-kva.de',
      emailKind: 'CORPORATE',
      companyDomain: 'xn--bcher-kva.de',
      country: 'DE',
    });
  });

  it('that is none gives nothing', async () => {
    expect(await fieldsOf({ email: 'joao at example' })).toEqual({});
  });
});

describe('a phone number', () => {
  it.each([
    ['+55 11 98765-4321', 'en', '+5511987654321', 'BR', 'MOBILE'],
    ['(11) 98765-4321', 'pt-BR', '+5511987654321', 'BR', 'MOBILE'],
    ['(11) 3333-4444', 'pt-BR', '+551133334444', 'BR', 'FIXED_LINE'],
    ['0800 701 0123', 'pt-BR', '+558007010123', 'BR', 'TOLL_FREE'],
    ['+1 415 555 2671', 'pt-BR', '+14155552671', 'US', 'FIXED_LINE_OR_MOBILE'],
    ['+351 912 345 678', 'pt-BR', '+351912345678', 'PT', 'MOBILE'],
    ['+55 11 98765-4321 ramal 12', 'pt-BR', '+5511987654321', 'BR', 'MOBILE'],
    ['+55 11 98765-4321 / 3333-4444', 'pt-BR', '+5511987654321', 'BR', 'MOBILE'],
    ['WhatsApp: 11 98765 4321', 'pt-BR', '+5511987654321', 'BR', 'MOBILE'],
  ])('%s with locale %s is %s, %s, %s', async (phone, locale, phoneE164, phoneCountry, phoneType) => {
    expect(await fieldsOf({ phone, locale })).toMatchObject({ phoneE164, phoneCountry, phoneType });
  });

  it.each([
    ['without + and without a country in the locale', '(11) 98765-4321', 'en'],
    ['too short for any plan', '123', 'pt-BR'],
    ['a Brazilian mobile without its ninth digit', '+55 11 8765-4321', 'pt-BR'],
    ['words', 'ligue depois', 'pt-BR'],
    ['forty digits', '1234567890'.repeat(4), 'pt-BR'],
    ['a country that does not exist', '98765-4321', 'pt-XX'],
  ])('gives nothing when it is %s', async (_what, phone, locale) => {
    expect(await fieldsOf({ phone, locale })).toEqual({});
  });

  it('is less certain when its country is that of the locale', async () => {
    const typed = await enrichBuiltIn(leadWith({ phone: '+55 11 98765-4321' }));
    const guessed = await enrichBuiltIn(leadWith({ phone: '11 98765-4321' }));
    expect(guessed.fields.phoneE164?.method).toBe('numbering-plan-of-locale');
    expect(guessed.fields.country?.confidence).toBeLessThan(typed.fields.country?.confidence ?? 0);
  });

  it('with a satellite code has no country', async () => {
    expect(await fieldsOf({ phone: '+870 773 111 632' })).toEqual({ phoneE164: '+870773111632', phoneType: 'MOBILE' });
  });
});

describe('the company', () => {
  it.each([
    ['joao@mail.sales.acme.com.br', 'acme.com.br'],
    ['joao@acme.co.uk', 'acme.co.uk'],
    ['joao@acme.blogspot.com', 'acme.blogspot.com'],
    ['joao@blogspot.com', 'blogspot.com'],
    ['joao@gmail.com', undefined],
    ['joao@mailinator.com', undefined],
  ])('of %s has the domain %s', async (email, companyDomain) => {
    expect((await fieldsOf({ email })).companyDomain).toBe(companyDomain);
  });

  it.each([
    ['the domain of an organization before the phone number', 'joao@acme.de', '+55 11 98765-4321', 'DE'],
    ['the phone number before the domain of a free mailbox', 'joao@yahoo.de', '+55 11 98765-4321', 'BR'],
    ['the domain of a free mailbox before nothing', 'joao@uol.com.br', null, 'BR'],
    ['the phone number when the domain tells nothing', 'joao@acme.io', '+44 20 7946 0958', 'GB'],
    ['.uk as GB', 'joao@acme.co.uk', null, 'GB'],
    ['.com.co as Colombia', 'joao@acme.com.co', null, 'CO'],
    ['bare .co as no country', 'joao@acme.co', null, undefined],
    ['.eu as no country', 'joao@acme.eu', null, undefined],
    ['.com as no country', 'joao@acme.com', null, undefined],
    ['a throw-away domain as no country', 'joao@byom.de', null, undefined],
  ])('takes %s', async (_what, email, phone, country) => {
    expect((await fieldsOf({ email, phone })).country).toBe(country);
  });
});

it('finds nothing for a lead that has only a name, which is an answer too', async () => {
  expect(await enrichBuiltIn(leadWith({}))).toEqual({
    fields: {},
    providers: [
      { provider: 'email', answer: 'nothing' },
      { provider: 'phone', answer: 'nothing' },
      { provider: 'company', answer: 'nothing' },
    ],
    outcome: 'completed',
    observations: [],
  });
});
