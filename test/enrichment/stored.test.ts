import { describe, expect, it } from 'vitest';
import type { Asked, ProviderReport } from '../../src/enrichment/enrich.ts';
import type { EnrichedField, EnrichmentFields, FieldName } from '../../src/enrichment/provider.ts';
import {
  earlierOf,
  HUMAN,
  mergeEnrichment,
  type StoredEnrichment,
  type WritePolicy,
} from '../../src/enrichment/stored.ts';

const field = (value: string, source: string): EnrichedField<string> => ({
  value,
  source,
  method: 'api',
  confidence: 0.5,
  fetchedAt: '2026-01-02T03:04:05.678Z',
});
const said = (provider: string, answer: ProviderReport['answer'] = 'found'): ProviderReport => ({ provider, answer });
const stored = (fields: EnrichmentFields, providers: ProviderReport[] = [], run = 'round-1'): StoredEnrichment => ({
  fields,
  providers,
  outcome: 'completed',
  run,
});
const asked = (fields: EnrichmentFields, providers: ProviderReport[]): Asked => ({
  fields,
  providers,
  outcome: 'completed',
  observations: Object.entries(fields).map(([name, found]) => ({ field: name as FieldName, ...found })),
});

const merge = (old: EnrichmentFields, fresh: EnrichmentFields, policy: WritePolicy, providers = [said('api')]) => {
  const { fields, conflicts } = mergeEnrichment(stored(old), asked(fresh, providers), () => policy);
  return { city: fields.city?.value, lost: conflicts.map(({ source, value }) => [source, value]) };
};
const old = { city: field('Recife', 'api') };
const fresh = { city: field('Olinda', 'api') };

describe('a value that comes anew', () => {
  it.each<[WritePolicy, string, unknown[]]>([
    ['refresh', 'Olinda', []],
    ['fill-if-empty', 'Recife', [['api', 'Olinda']]],
    ['never', 'Recife', [['api', 'Olinda']]],
  ])('under %s leaves %s', (policy, city, lost) => {
    expect(merge(old, fresh, policy)).toEqual({ city, lost });
  });

  it.each<[WritePolicy, string | undefined]>([
    ['refresh', 'Olinda'],
    ['fill-if-empty', 'Olinda'],
    ['never', undefined],
  ])('under %s fills an empty field with %s', (policy, city) => {
    expect(merge({}, fresh, policy).city).toBe(city);
  });

  it.each<WritePolicy>(['refresh', 'fill-if-empty', 'never'])('under %s leaves what a human set', (policy) => {
    const lost = [['api', 'Olinda']];
    expect(merge({ city: field('Natal', HUMAN) }, fresh, policy)).toEqual({ city: 'Natal', lost });
  });

  it('from another source keeps the one that it displaces', () => {
    const lost = [['other', 'Recife']];
    expect(merge({ city: field('Recife', 'other') }, fresh, 'refresh')).toEqual({ city: 'Olinda', lost });
  });

  it('that is the same is no conflict', () => {
    expect(merge({ city: field('Olinda', 'other') }, fresh, 'refresh').lost).toEqual([]);
  });
});

describe('a value that its source no longer has', () => {
  it.each<[ProviderReport['answer'], string | undefined]>([
    ['nothing', undefined],
    ['found', undefined],
    ['retry', 'Recife'],
    ['stop', 'Recife'],
    ['failed', 'Recife'],
  ])('after the answer %s is %s', (answer, city) => {
    expect(merge(old, {}, 'refresh', [said('api', answer)]).city).toBe(city);
  });
});

describe('an attempt begins', () => {
  const fields = { city: field('Recife', 'api'), industry: field('Rockets', HUMAN) };

  it('with what the run has found so far, and with what a human set', () => {
    const reports = [said('api'), said('other', 'retry')];
    expect(earlierOf(stored(fields, reports), 'round-1')).toEqual({ fields, providers: reports });
  });

  it('of a new run with what a human set, and nothing else', () => {
    expect(earlierOf(stored(fields, [said('api')]), 'round-2')).toEqual({
      fields: { industry: fields.industry },
      providers: [],
    });
    expect(earlierOf(null, 'round-1')).toEqual({ fields: {}, providers: [] });
  });
});
