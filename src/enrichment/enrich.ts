import type { EnrichmentOutcome } from '../../workflows/contract.ts';
import type {
  Answer,
  EnrichmentFields,
  Findings,
  LeadFacts,
  LookupContext,
  LookupFacts,
  EnrichmentProvider,
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
  answer: Answer['kind'] | 'failed';
  reason?: string;
}

/**
 * Asks the providers one after the other, and keeps what each of them finds: of two values for one field the first
 * stays. A provider that fails takes nothing away from the others.
 * @throws the signal's reason, and nothing else, once the enrichment is canceled.
 */
export async function enrich(
  lead: LeadFacts,
  providers: readonly EnrichmentProvider[],
  context: LookupContext,
): Promise<Enrichment> {
  let fields: EnrichmentFields = {};
  const reports: ProviderReport[] = [];
  const retries: string[] = [];
  for (const provider of providers) {
    const { report, found, retryAt } = await ask(provider, { ...lead, found: fields }, context);
    fields = { ...found, ...fields };
    reports.push(report);
    if (retryAt !== undefined) retries.push(retryAt);
  }
  const settled = reports.every(({ answer }) => answer === 'found' || answer === 'nothing');
  const retryAt = retries.sort().at(-1);
  return {
    fields,
    providers: reports,
    outcome: settled ? 'completed' : 'partial',
    ...(retryAt !== undefined && { retryAt }),
  };
}

interface Asked {
  report: ProviderReport;
  found?: EnrichmentFields;
  retryAt?: string;
}

async function ask(provider: EnrichmentProvider, facts: LookupFacts, context: LookupContext): Promise<Asked> {
  context.signal.throwIfAborted();
  const report = (answer: ProviderReport['answer']) => ({ provider: provider.name, answer });
  try {
    const answer = await provider.lookUp(facts, context);
    switch (answer.kind) {
      case 'found':
        return { report: report('found'), found: stamp(answer.fields, provider.name, context.now()) };
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
