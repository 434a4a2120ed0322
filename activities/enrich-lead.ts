import { activityInfo, ApplicationFailure, cancellationSignal, heartbeat } from '@temporalio/activity';
import type { PrismaClient } from '../src/db/generated/client.ts';
import { enrich } from '../src/enrichment/enrich.ts';
import type { EnrichmentProvider } from '../src/enrichment/provider.ts';
import { earlierOf, type PolicyOf, refreshAll } from '../src/enrichment/stored.ts';
import { keepProgress, recordEnrichment, runOf, startEnrichment } from '../src/onboarding/enrichment-step.ts';
import { storedEnrichment } from '../src/onboarding/keep-enrichment.ts';
import type { LeadActivities } from '../workflows/contract.ts';

/** A source that asks to be called later is called this often; then the lead goes on without it. */
const MAX_ATTEMPTS = 5;
const MIN_RETRY_MS = 1_000;
const HEARTBEAT_MS = 3_000;
/** After this nobody else is asked in an attempt: with the slowest source it stays within the 30 s of an attempt. */
const ASKING_MS = 18_000;
/** What an attempt may take; one that cannot be over before the activity's time is up is not waited for. */
const ATTEMPT_MS = 30_000;

export interface EnrichLeadDependencies {
  prisma: PrismaClient;
  providers: readonly EnrichmentProvider[];
  policyOf?: PolicyOf;
}

/**
 * Asks all sources about a lead. When some ask for patience, what the others said is kept, and the next attempt asks only
 * those; the last attempt that fits into the time of the activity ends without them, as `partial`.
 */
export function createEnrichLead({
  prisma,
  providers,
  policyOf = refreshAll,
}: EnrichLeadDependencies): LeadActivities['enrichLead'] {
  return async (ref) => {
    const { lead, recorded } = await prisma.$transaction((tx) => startEnrichment(tx, ref));
    if (recorded) return { outcome: recorded };

    const beat = setInterval(heartbeat, HEARTBEAT_MS);
    try {
      const { leadId, organizationId } = ref;
      const subject = { leadId, organizationId, run: runOf(ref) };
      const until = Date.now() + ASKING_MS;
      const context = { subject, signal: cancellationSignal(), now: () => new Date(), until };
      const asked = await enrich(lead, providers, context, earlierOf(storedEnrichment(lead), subject.run));
      const delay = asked.retryAt === undefined ? undefined : delayUntil(asked.retryAt);
      if (delay === undefined) return await prisma.$transaction((tx) => recordEnrichment(tx, ref, asked, policyOf));
      await prisma.$transaction((tx) => keepProgress(tx, ref, asked, policyOf));
      throw ApplicationFailure.create({
        message: `A source asked to be called again for lead ${leadId}`,
        type: 'ProviderUnavailable',
        nextRetryDelay: delay,
      });
    } finally {
      clearInterval(beat);
    }
  };
}

/** Milliseconds until the next attempt; undefined when there is to be none. */
function delayUntil(retryAt: string): number | undefined {
  const { attempt, scheduledTimestampMs, scheduleToCloseTimeoutMs } = activityInfo();
  const delay = Math.max(MIN_RETRY_MS * 2 ** (attempt - 1), Date.parse(retryAt) - Date.now());
  const isInTime = Date.now() + delay + ATTEMPT_MS <= scheduledTimestampMs + scheduleToCloseTimeoutMs;
  return attempt < MAX_ATTEMPTS && isInTime ? delay : undefined;
}
