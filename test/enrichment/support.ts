import type { Enrichment } from '../../src/enrichment/enrich.ts';
import type {
  Answer,
  EnrichmentProvider,
  FieldValues,
  LeadFacts,
  OutsideContext,
  OutsideSource,
} from '../../src/enrichment/provider.ts';

export const NOW = new Date('2026-01-02T03:04:05.678Z');

export const context = (signal = new AbortController().signal): OutsideContext => ({
  subject: { leadId: '00000000-0000-7000-8000-000000000000', organizationId: 'org-123', run: 'round-1' },
  signal,
  now: () => NOW,
  takeCall: () => Promise.resolve(),
});

export const leadWith = (facts: Partial<LeadFacts>): LeadFacts => ({
  email: null,
  phone: null,
  company: null,
  locale: 'pt-BR',
  attributes: {},
  ...facts,
});

/** A source as it is without its guard. */
export const unguarded = (source: OutsideSource): EnrichmentProvider => ({
  name: source.name,
  lookUp: (facts) => (source.question(facts) ? source.lookUp(facts, context()) : { kind: 'nothing' }),
});

export const provider = (name: string, lookUp: () => Answer | Promise<Answer>): EnrichmentProvider => ({
  name,
  lookUp,
});

/** What was found, without where and when. */
export const valuesOf = ({ fields }: Enrichment): Partial<FieldValues> =>
  Object.fromEntries(Object.entries(fields).map(([name, field]) => [name, field.value]));
