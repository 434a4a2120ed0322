import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { builtInProviders } from '../../src/enrichment/built-in.ts';
import { companyProvider } from '../../src/enrichment/company-provider.ts';
import { emailProvider } from '../../src/enrichment/email-provider.ts';
import { enrich } from '../../src/enrichment/enrich.ts';
import { phoneProvider } from '../../src/enrichment/phone-provider.ts';
import type { Answer, EnrichmentFields, FieldName } from '../../src/enrichment/provider.ts';
import { context, leadWith, provider, valuesOf } from './support.ts';

const LEAD = leadWith({ email: 'joao@example.com' });
const finds = (name: string, field: FieldName, value: string) =>
  provider(name, () => ({ kind: 'found', fields: { [field]: { value, method: 'normalised', confidence: 1 } } }));
const answers = (name: string, answer: Answer) => provider(name, () => answer);
const throws = (name: string, error: unknown) =>
  provider(name, () => {
    throw error;
  });

describe('of several providers', () => {
  it('the first that finds a field keeps it', async () => {
    const enrichment = await enrich(LEAD, [finds('a', 'country', 'BR'), finds('b', 'country', 'PT')], context());
    expect(enrichment.fields.country).toMatchObject({ value: 'BR', source: 'a' });
    expect(enrichment.providers.map(({ answer }) => answer)).toEqual(['found', 'found']);
  });

  it('the later ones see what the earlier ones found', async () => {
    const seen: EnrichmentFields[] = [];
    const watcher = {
      name: 'watcher',
      lookUp: ({ found }: { found: EnrichmentFields }): Answer => {
        seen.push(found);
        return { kind: 'nothing' };
      },
    };
    await enrich(LEAD, [watcher, finds('a', 'country', 'BR'), watcher], context());
    expect(seen.map((fields) => fields.country?.value)).toEqual([undefined, 'BR']);
  });

  it('one that throws hides nothing, and its message, which may quote the lead, is not kept', async () => {
    const providers = [
      finds('a', 'country', 'BR'),
      throws('b', new RangeError('no such address: joao@example.com')),
      provider('c', () => Promise.reject(new TypeError('joao@example.com'))),
      finds('d', 'companyDomain', 'acme.com'),
    ];
    const enrichment = await enrich(LEAD, providers, context());
    expect(valuesOf(enrichment)).toEqual({ country: 'BR', companyDomain: 'acme.com' });
    expect(enrichment.outcome).toBe('partial');
    expect(enrichment.providers.slice(1, 3)).toEqual([
      { provider: 'b', answer: 'failed', reason: 'RangeError' },
      { provider: 'c', answer: 'failed', reason: 'TypeError' },
    ]);
    expect(JSON.stringify(enrichment)).not.toContain('joao');
  });

  it('one that stops or asks for patience hides nothing', async () => {
    const providers = [
      answers('a', { kind: 'stop', reason: 'bad-credentials' }),
      answers('b', { kind: 'retry', at: new Date('2026-01-02T04:00:00Z'), reason: 'rate-limited' }),
      finds('c', 'country', 'BR'),
      answers('d', { kind: 'retry', at: new Date('2026-01-02T03:30:00Z'), reason: 'overloaded' }),
    ];
    expect(await enrich(LEAD, providers, context())).toMatchObject({
      fields: { country: { value: 'BR' } },
      providers: [
        { provider: 'a', answer: 'stop', reason: 'bad-credentials' },
        { provider: 'b', answer: 'retry', reason: 'rate-limited' },
        { provider: 'c', answer: 'found' },
        { provider: 'd', answer: 'retry', reason: 'overloaded' },
      ],
      outcome: 'partial',
      retryAt: '2026-01-02T04:00:00.000Z', // no provider is asked again sooner than it asked for
    });
  });

  it('one that names no valid time has failed', async () => {
    const enrichment = await enrich(LEAD, [answers('a', { kind: 'retry', at: new Date(NaN), reason: 'x' })], context());
    expect(enrichment.providers).toEqual([{ provider: 'a', answer: 'failed', reason: 'RangeError' }]);
  });
});

describe('a canceled enrichment', () => {
  it('asks nobody any more', async () => {
    const canceled = new AbortController();
    const asked: string[] = [];
    const first = provider('first', () => {
      asked.push('first');
      canceled.abort(new Error('canceled'));
      return { kind: 'nothing' };
    });
    const second = provider('second', () => {
      asked.push('second');
      return { kind: 'nothing' };
    });
    await expect(enrich(LEAD, [first, second], context(canceled.signal))).rejects.toThrow('canceled');
    expect(asked).toEqual(['first']);
  });

  it('is not mistaken for a failure of the provider that it interrupts', async () => {
    const canceled = new AbortController();
    const interrupted = provider('slow', () => {
      canceled.abort(new Error('canceled'));
      return Promise.reject(new Error('socket closed'));
    });
    await expect(enrich(LEAD, [interrupted], context(canceled.signal))).rejects.toThrow('canceled');
  });
});

describe('whatever the lead', () => {
  const typed = fc.option(
    fc.oneof(
      fc.emailAddress(),
      fc.string({ unit: 'binary' }),
      fc.constantFrom('joao@gmail.com', '+55 11 98765-4321', '(11) 3333-4444', 'x@acme.com.br', '@', '+', '__proto__'),
    ),
  );
  const lead = fc
    .record({ email: typed, phone: typed, company: typed, locale: fc.constantFrom('pt-BR', 'en', 'en-GB', '', 'x') })
    .map(leadWith);

  it('the enrichment is completed and survives its way through JSON', () =>
    fc.assert(
      fc.asyncProperty(lead, async (someLead) => {
        const enrichment = await enrich(someLead, builtInProviders, context());
        expect(enrichment.outcome).toBe('completed');
        expect(JSON.parse(JSON.stringify(enrichment))).toStrictEqual(enrichment);
      }),
    ));

  it('the order of the e-mail and the phone provider does not matter', () =>
    fc.assert(
      fc.asyncProperty(lead, async (someLead) => {
        const one = await enrich(someLead, [emailProvider, phoneProvider, companyProvider], context());
        const other = await enrich(someLead, [phoneProvider, emailProvider, companyProvider], context());
        expect(other.fields).toEqual(one.fields);
      }),
    ));
});

it('providers that find different fields may be asked in any order, whatever the others answer', () => {
  const answer = (field: FieldName) =>
    fc.oneof(
      fc.string().map((value) => finds(field, field, value)),
      fc.constant(answers(field, { kind: 'nothing' })),
      fc.constant(answers(field, { kind: 'stop', reason: 'gone' })),
      fc.constant(throws(field, 'a string')),
      fc
        .date({ noInvalidDate: true, min: new Date(0), max: new Date('2100-01-01') })
        .map((at) => answers(field, { kind: 'retry', at, reason: 'later' })),
    );
  const names: FieldName[] = ['country', 'companyDomain', 'phoneE164', 'emailDomain', 'phoneCountry'];
  const providers = fc.tuple(...names.map(answer));
  const shuffled = providers.chain((some) =>
    fc.tuple(fc.constant(some), fc.shuffledSubarray(some, { minLength: some.length })),
  );
  return fc.assert(
    fc.asyncProperty(shuffled, async ([some, mixed]) => {
      const one = await enrich(LEAD, some, context());
      const other = await enrich(LEAD, mixed, context());
      const sorted = ({ providers: reports }: typeof one) =>
        reports.toSorted((a, b) => a.provider.localeCompare(b.provider));
      const unordered = (asked: typeof one) => ({
        ...asked,
        providers: sorted(asked),
        observations: asked.observations.toSorted((a, b) => a.field.localeCompare(b.field)),
      });
      expect(unordered(other)).toEqual(unordered(one));
    }),
  );
});
