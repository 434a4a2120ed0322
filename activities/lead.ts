import { activityInfo, ApplicationFailure, cancellationSignal, heartbeat } from '@temporalio/activity';
import type { PrismaClient } from '../src/db/generated/client.ts';
import { enrich } from '../src/enrichment/enrich.ts';
import type { EnrichmentProvider } from '../src/enrichment/provider.ts';
import { closeOnboarding } from '../src/onboarding/close.ts';
import { recordEnrichment, startEnrichment } from '../src/onboarding/enrichment-step.ts';
import { recordScore } from '../src/onboarding/score-step.ts';
import { eraseIfExpired } from '../src/retention/erase-expired.ts';
import { findExpiredLeads } from '../src/retention/expired-leads.ts';
import { pageSizeOf, rescorePage } from '../src/scoring/rescore-page.ts';
import { createRuleBook } from '../src/scoring/rule-book.ts';
import type { LeadActivities } from '../workflows/contract.ts';

/** A source that asks to be called later is called this often; then the lead goes on without it. */
const MAX_ENRICHMENT_ATTEMPTS = 5;
const MIN_RETRY_MS = 1_000;
const HEARTBEAT_MS = 3_000;

export interface LeadActivityDependencies {
  prisma: PrismaClient;
  providers: readonly EnrichmentProvider[];
}

/** The activities of the task queue `lead`. */
export function createLeadActivities({ prisma, providers }: LeadActivityDependencies): LeadActivities {
  const ruleBook = createRuleBook();
  return {
    async enrichLead(ref) {
      const { lead, recorded } = await prisma.$transaction((tx) => startEnrichment(tx, ref));
      if (recorded) return { outcome: recorded };

      const beat = setInterval(heartbeat, HEARTBEAT_MS);
      try {
        const enrichment = await enrich(lead, providers, { signal: cancellationSignal(), now: () => new Date() });
        if (enrichment.retryAt && activityInfo().attempt < MAX_ENRICHMENT_ATTEMPTS) {
          throw ApplicationFailure.create({
            message: `A source asked to be called again for lead ${ref.leadId}`,
            type: 'ProviderUnavailable',
            nextRetryDelay: Math.max(MIN_RETRY_MS, Date.parse(enrichment.retryAt) - Date.now()),
          });
        }
        return await prisma.$transaction((tx) => recordEnrichment(tx, ref, enrichment));
      } finally {
        clearInterval(beat);
      }
    },

    scoreLead: (input) => prisma.$transaction((tx) => recordScore(tx, input, ruleBook)),

    closeOnboarding: (input) => prisma.$transaction((tx) => closeOnboarding(tx, input)),

    findExpiredLeads: (query) => findExpiredLeads(prisma, query),

    async eraseExpiredLeads({ leadIds, retentionDays, requestId }) {
      for (const leadId of leadIds) {
        heartbeat();
        cancellationSignal().throwIfAborted();
        await eraseIfExpired(prisma, { leadId, retentionDays, requestId });
      }
      const kept = await prisma.lead.count({ where: { id: { in: leadIds } } });
      return { erased: leadIds.length - kept };
    },
    rescorePage: (input) =>
      prisma.$transaction((tx) => rescorePage(tx, input, { ruleBook, pageSize: pageSizeOf(activityInfo().attempt) })),
  };
}
