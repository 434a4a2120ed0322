import { activityInfo, ApplicationFailure, cancellationSignal, Context } from '@temporalio/activity';
import type { Pool } from 'pg';
import { type Asked, enrich } from '../src/enrichment/enrich.ts';
import type { EnrichmentProvider } from '../src/enrichment/provider.ts';
import { earlierOf, type PolicyOf, refreshAll } from '../src/enrichment/stored.ts';
import { type EnrichStepRef, keepEnrichment, runOf, startEnrichment } from '../src/onboarding/enrichment-step.ts';
import { stayAlive } from '../src/temporal/failure-limit.ts';
import type { EnrichResult } from '../workflows/contract.ts';

/** A source that asks to be called later is called this often; then the lead goes on without it. */
const MAX_ATTEMPTS = 5;
const MIN_RETRY_MS = 1_000;
const HEARTBEAT_MS = 3_000;
/** After this nobody else is asked in an attempt: with the slowest source it stays within the 30 s of an attempt. */
const ASKING_MS = 18_000;
/** What an attempt may take; one that cannot be over before the enrichment's time is up is not waited for. */
const ATTEMPT_MS = 30_000;
/** Since the first attempt, not since the order: an enrichment that waits for a worker has not begun. */
const ENRICHMENT_MS = 15 * 60_000;

export interface EnrichDependencies {
  pool: Pool;
  providers: readonly EnrichmentProvider[];
  policyOf?: PolicyOf;
}

/**
 * Asks all sources about a lead. When some ask for patience, what the others said is kept, and the next attempt asks only
 * those; the last attempt that fits into the time of an enrichment ends without them, as `partial`. One whose attempts were all
 * cut short, since it takes its workers down with it, gives up after that time.
 */
export function createEnrich({ pool, providers, policyOf = refreshAll }: EnrichDependencies) {
  return async (ref: EnrichStepRef): Promise<EnrichResult> => {
    const started = await startEnrichment(pool, ref);
    if (started.outcome) return { outcome: started.outcome };
    const { lead, startedAt } = started;
    const endsAt = startedAt.getTime() + ENRICHMENT_MS;
    if (activityInfo().attempt > MAX_ATTEMPTS && Date.now() > endsAt) throw outOfTime(ref);

    const activity = Context.current();
    const beat = setInterval(() => stayAlive(activity), HEARTBEAT_MS);
    try {
      const { leadId, organizationId } = ref;
      const fresh = 'fresh' in ref && ref.fresh;
      const subject = { leadId, organizationId, run: runOf(ref), fresh };
      const until = Date.now() + ASKING_MS;
      const context = { subject, signal: cancellationSignal(), now: () => new Date(), until };
      const asked = await enrich(lead, providers, context, earlierOf(lead.enrichment, subject.run));
      const nextRetryDelay = asked.retryAt === undefined ? undefined : delayUntil(asked.retryAt, endsAt);
      const isLast = nextRetryDelay === undefined;
      const kept = { lead, asked: isLast ? withoutRetry(asked) : asked, policyOf, isLast };
      const outcome = await keepEnrichment(pool, ref, kept);
      if (isLast) return { outcome };
      const message = `A source asked to be called again for lead ${leadId}`;
      throw ApplicationFailure.create({ message, type: 'ProviderUnavailable', nextRetryDelay });
    } finally {
      clearInterval(beat);
    }
  };
}

/** Nobody comes back at the time that a source named. */
function withoutRetry({ fields, providers, outcome, observations }: Asked): Asked {
  return { fields, providers, outcome, observations };
}

const outOfTime = ({ leadId }: EnrichStepRef) =>
  ApplicationFailure.nonRetryable(`The time to enrich lead ${leadId} is up`, 'OutOfTime');

/** Milliseconds until the next attempt; undefined when there is to be none. */
function delayUntil(retryAt: string, endsAt: number): number | undefined {
  const { attempt } = activityInfo();
  const delay = Math.max(MIN_RETRY_MS * 2 ** (attempt - 1), Date.parse(retryAt) - Date.now());
  const isInTime = Date.now() + delay + ATTEMPT_MS <= endsAt;
  return attempt < MAX_ATTEMPTS && isInTime ? delay : undefined;
}
