import { activityInfo, ApplicationFailure, cancellationSignal, Context } from '@temporalio/activity';
import type { PrismaClient } from '../src/db/generated/client.ts';
import { type Asked, enrich } from '../src/enrichment/enrich.ts';
import type { EnrichmentProvider } from '../src/enrichment/provider.ts';
import { earlierOf, type PolicyOf, refreshAll } from '../src/enrichment/stored.ts';
import { type EnrichStep, recordEnrichment } from '../src/onboarding/enrichment-step.ts';
import { stayAlive } from '../src/temporal/failure-limit.ts';
import { keepEnrichment, storedEnrichment } from '../src/enrichment/keep-enrichment.ts';
import type { EnrichResult, OnboardingRef } from '../workflows/contract.ts';
import type { EnrichmentRef } from '../workflows/enrichment-contract.ts';

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
  prisma: PrismaClient;
  providers: readonly EnrichmentProvider[];
  policyOf?: PolicyOf;
}

/**
 * Asks all sources about a lead. When some ask for patience, what the others said is kept, and the next attempt asks only
 * those; the last attempt that fits into the time of an enrichment ends without them, as `partial`. One whose attempts were all
 * cut short, since it takes its workers down with it, gives up after that time.
 */
export function createEnrich<Ref extends OnboardingRef | EnrichmentRef>(
  { prisma, providers, policyOf = refreshAll }: EnrichDependencies,
  step: EnrichStep<Ref>,
): (ref: Ref) => Promise<EnrichResult> {
  /** Stores what an attempt found; `isLast` ends the step, unless it is over already: it was skipped meanwhile. */
  const keep = (ref: Ref, asked: Asked, isLast: boolean) =>
    prisma.$transaction(async (tx) => {
      const { lead, recorded } = await step.find(tx, ref);
      if (recorded) return recorded;
      const stored = await keepEnrichment(tx, lead, step.runOf(ref), isLast ? withoutRetry(asked) : asked, policyOf);
      if (isLast) await recordEnrichment(tx, ref, step.runOf(ref), stored);
      return asked.outcome;
    });

  return async (ref) => {
    const { lead, recorded, startedAt } = await prisma.$transaction((tx) => step.start(tx, ref));
    if (recorded) return { outcome: recorded };
    const endsAt = startedAt.getTime() + ENRICHMENT_MS;
    if (activityInfo().attempt > MAX_ATTEMPTS && Date.now() > endsAt) throw outOfTime(ref);

    const activity = Context.current();
    const beat = setInterval(() => stayAlive(activity), HEARTBEAT_MS);
    try {
      const { leadId, organizationId } = ref;
      const fresh = 'fresh' in ref && ref.fresh;
      const subject = { leadId, organizationId, run: step.runOf(ref), fresh };
      const until = Date.now() + ASKING_MS;
      const context = { subject, signal: cancellationSignal(), now: () => new Date(), until };
      const asked = await enrich(lead, providers, context, earlierOf(storedEnrichment(lead), subject.run));
      const nextRetryDelay = asked.retryAt === undefined ? undefined : delayUntil(asked.retryAt, endsAt);
      const outcome = await keep(ref, asked, nextRetryDelay === undefined);
      if (nextRetryDelay === undefined) return { outcome };
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

const outOfTime = ({ leadId }: OnboardingRef | EnrichmentRef) =>
  ApplicationFailure.nonRetryable(`The time to enrich lead ${leadId} is up`, 'OutOfTime');

/** Milliseconds until the next attempt; undefined when there is to be none. */
function delayUntil(retryAt: string, endsAt: number): number | undefined {
  const { attempt } = activityInfo();
  const delay = Math.max(MIN_RETRY_MS * 2 ** (attempt - 1), Date.parse(retryAt) - Date.now());
  const isInTime = Date.now() + delay + ATTEMPT_MS <= endsAt;
  return attempt < MAX_ATTEMPTS && isInTime ? delay : undefined;
}
