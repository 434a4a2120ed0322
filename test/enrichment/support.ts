import type { Enrichment } from '../../src/enrichment/enrich.ts';
import type {
  Answer,
  EnrichmentProvider,
  FieldValues,
  LeadFacts,
  LookupContext,
} from '../../src/enrichment/provider.ts';

export const NOW = new Date('2026-01-02T03:04:05.678Z');

export const context = (signal = new AbortController().signal): LookupContext => ({ signal, now: () => NOW });

export const leadWith = (facts: Partial<LeadFacts>): LeadFacts => ({
  email: null,
  phone: null,
  company: null,
  locale: 'pt-BR',
  attributes: {},
  ...facts,
});

export const provider = (name: string, lookUp: () => Answer | Promise<Answer>): EnrichmentProvider => ({
  name,
  lookUp,
});

/** What was found, without where and when. */
export const valuesOf = ({ fields }: Enrichment): Partial<FieldValues> =>
  Object.fromEntries(Object.entries(fields).map(([name, field]) => [name, field.value]));
