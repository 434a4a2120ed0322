import { isDeepStrictEqual } from 'node:util';
import type { Asked, Earlier, Enrichment, Observation } from './enrich.ts';
import type { EnrichedField, EnrichmentFields, FieldName } from './provider.ts';

/** The `source` of what somebody entered through the API. */
export const HUMAN = 'human';

/** How an enrichment is kept with its lead; without an outcome a human entered something before any provider was asked. */
export interface StoredEnrichment extends Omit<Enrichment, 'outcome'> {
  outcome?: Enrichment['outcome'];
  /** Which enrichment of the lead `providers` is of. */
  run?: string;
}

/** Whether a new value takes the place of one that the lead has. What a human set stays whatever this says. */
export const WRITE_POLICIES = ['refresh', 'fill-if-empty', 'never'] as const;
export type WritePolicy = (typeof WRITE_POLICIES)[number];
export type PolicyOf = (field: FieldName) => WritePolicy;
export const refreshAll: PolicyOf = () => 'refresh';

type Fields = Partial<Record<FieldName, EnrichedField<unknown>>>;

/** What an attempt begins with: what a human set, and what earlier attempts of the same run found. */
export function earlierOf(stored: StoredEnrichment | null, run: string): Earlier {
  const providers = stored?.run === run ? stored.providers : [];
  const isOfRun = (source: string) =>
    providers.some((report) => report.provider === source && report.answer === 'found');
  const kept = Object.entries(stored?.fields ?? {}).filter(([, { source }]) => source === HUMAN || isOfRun(source));
  return { fields: Object.fromEntries(kept), providers };
}

/**
 * Brings what was found now together with what the lead has.
 * @returns what to store, and the values that lost: another source's, or a newer one that the policy keeps out
 */
export function mergeEnrichment(
  stored: StoredEnrichment | null,
  asked: Asked,
  policyOf: PolicyOf,
): { fields: EnrichmentFields; conflicts: Observation[] } {
  const old: Fields = stored?.fields ?? {};
  const fresh: Fields = asked.fields;
  const hasSpoken = (source: string) =>
    asked.providers.some(({ provider, answer }) => provider === source && (answer === 'found' || answer === 'nothing'));
  const names = new Set([...Object.keys(old), ...Object.keys(fresh)] as FieldName[]);
  const merged: Fields = {};
  for (const name of names) {
    const value = choose(old[name], fresh[name], policyOf(name), hasSpoken);
    if (value) merged[name] = value;
  }
  const displaced = [...names].flatMap((field) => {
    const before = old[field];
    return before && merged[field] && before.source !== HUMAN ? [{ field, ...before }] : [];
  });
  // Of one source the newer observation counts: it comes last.
  const bySource = new Map([...displaced, ...asked.observations].map((seen) => [`${seen.field} ${seen.source}`, seen]));
  const lost = ({ field, source, value }: Observation) => {
    const kept = merged[field];
    const isOwnUpdate = kept?.source === source && kept.value === fresh[field]?.value;
    return !isOwnUpdate && !isDeepStrictEqual(kept?.value, value);
  };
  return { fields: merged as EnrichmentFields, conflicts: [...bySource.values()].filter(lost) };
}

/** `hasSpoken`: a source that was asked now and no longer says so takes its value back. */
function choose(
  old: EnrichedField<unknown> | undefined,
  found: EnrichedField<unknown> | undefined,
  policy: WritePolicy,
  hasSpoken: (source: string) => boolean,
): EnrichedField<unknown> | undefined {
  // Taken back by a human while the providers were asked.
  const fresh = found?.source === HUMAN ? undefined : found;
  if (old?.source === HUMAN) return old;
  if (policy === 'never') return old;
  if (policy === 'fill-if-empty') return old ?? fresh;
  return fresh ?? (old && hasSpoken(old.source) ? undefined : old);
}
