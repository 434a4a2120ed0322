import type { EnrichmentOutcome } from '../../workflows/contract.ts';
import type {
  Answer,
  EnrichedField,
  EnrichmentFields,
  EnrichmentProvider,
  FieldName,
  Findings,
  LeadFacts,
  LookupContext,
  LookupFacts,
} from './provider.ts';

/** What is stored of an enrichment, as JSON. */
export interface Enrichment {
  fields: EnrichmentFields;
  /** In the order asked. */
  providers: ProviderReport[];
  /** `completed` when every provider found something or knows that there is nothing. */
  outcome: Exclude<EnrichmentOutcome, 'skipped'>;
  /** Since when every provider that asked for patience may be asked again (ISO-8601, UTC). */
  retryAt?: string;
}

export interface ProviderReport {
  provider: string;
  /** `known`: it was not asked, since all that it could find was there. */
  answer: Answer['kind'] | 'failed' | 'known';
  reason?: string;
}

/** What one provider said of one field, whether or not the lead has it from there. */
export type Observation = { field: FieldName } & EnrichedField<unknown>;

/** What came of the providers that were asked now; the fields are those that `Enrichment` has. */
export interface Asked extends Enrichment {
  observations: Observation[];
}

/** What is known before any provider is asked. */
export interface Earlier {
  /** What a human set, and what earlier attempts of this enrichment found. */
  fields: EnrichmentFields;
  /** What providers answered in earlier attempts of this enrichment: who asked for patience is asked again, nobody else. */
  providers: readonly ProviderReport[];
}

export interface EnrichContext extends LookupContext {
  /** Past this (epoch milliseconds) nobody is asked any more: there is another attempt for it. */
  until?: number;
}

const NOTHING_EARLIER: Earlier = { fields: {}, providers: [] };

/**
 * Asks the providers one after the other, and keeps what each of them finds: of two values for one field the first
 * stays. A provider that fails takes nothing away from the others.
 * @throws the signal's reason, and nothing else, once the enrichment is canceled.
 */
export async function enrich(
  lead: LeadFacts,
  providers: readonly EnrichmentProvider[],
  context: EnrichContext,
  earlier: Earlier = NOTHING_EARLIER,
): Promise<Asked> {
  let fields = earlier.fields;
  const reports: ProviderReport[] = [];
  const observations: Observation[] = [];
  const retries: string[] = [];
  for (const provider of providers) {
    const before = earlier.providers.find((report) => report.provider === provider.name);
    if (before && before.answer !== 'retry') {
      reports.push(before);
      continue;
    }
    const { report, found = {}, retryAt } = await ask(provider, { ...lead, found: fields }, context);
    for (const [field, finding] of Object.entries(found)) observations.push({ field: field as FieldName, ...finding });
    fields = { ...found, ...fields };
    reports.push(report);
    if (retryAt !== undefined) retries.push(retryAt);
  }
  const retryAt = retries.sort().at(-1);
  return {
    fields,
    providers: reports,
    outcome: reports.every(isSettled) ? 'completed' : 'partial',
    ...(retryAt !== undefined && { retryAt }),
    observations,
  };
}

const isSettled = ({ answer }: ProviderReport) => answer === 'found' || answer === 'nothing' || answer === 'known';

interface Said {
  report: ProviderReport;
  found?: EnrichmentFields;
  retryAt?: string;
}

async function ask(provider: EnrichmentProvider, facts: LookupFacts, context: EnrichContext): Promise<Said> {
  context.signal.throwIfAborted();
  const report = (answer: ProviderReport['answer']) => ({ provider: provider.name, answer });
  const isKnown = provider.provides?.every((field) => facts.found[field] !== undefined) ?? false;
  if (isKnown) return { report: report('known') };
  if (context.until !== undefined && Date.now() > context.until) {
    return { report: { ...report('retry'), reason: 'out-of-time' }, retryAt: context.now().toISOString() };
  }
  try {
    const answer = await provider.lookUp(facts, context);
    switch (answer.kind) {
      case 'found':
        return {
          report: report('found'),
          found: stamp(answer.fields, provider.name, answer.fetchedAt ?? context.now()),
        };
      case 'nothing':
        return { report: report('nothing') };
      case 'retry':
        return { report: { ...report('retry'), reason: answer.reason }, retryAt: answer.at.toISOString() };
      case 'stop':
        return { report: { ...report('stop'), reason: answer.reason } };
    }
  } catch (error) {
    context.signal.throwIfAborted();
    // The class alone: messages quote what was looked up.
    return { report: { ...report('failed'), reason: error instanceof Error ? error.constructor.name : typeof error } };
  }
}

/** Adds to each finding who found it and when. */
function stamp(findings: Findings, source: string, at: Date): EnrichmentFields {
  const fetchedAt = at.toISOString();
  const stamped = Object.entries(findings).map(([name, { value, method, confidence }]) => [
    name,
    { value, source, method, fetchedAt, confidence },
  ]);
  return Object.fromEntries(stamped) as EnrichmentFields;
}
