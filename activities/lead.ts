import { activityInfo, cancellationSignal, heartbeat, log } from '@temporalio/activity';
import { databaseFault } from '../src/db/faults.ts';
import { closeOnboarding } from '../src/onboarding/close.ts';
import { enrichAgainStep, recordScoreAfterEnrichment } from '../src/onboarding/enrich-again-step.ts';
import { onboardingEnrichment } from '../src/onboarding/enrichment-step.ts';
import { recordScore } from '../src/onboarding/score-step.ts';
import { eraseIfExpired } from '../src/personal-data/retention/erase-expired.ts';
import { findExpiredLeads } from '../src/personal-data/retention/expired-leads.ts';
import { pageSizeOf, rescorePage } from '../src/scoring/rescore-page.ts';
import { createRuleBook } from '../src/scoring/rule-book.ts';
import { describeError } from '../src/telemetry/logger.ts';
import type { LeadActivities } from '../workflows/activities.ts';
import { createEnrich, type EnrichDependencies } from './enrich.ts';

export type LeadActivityDependencies = EnrichDependencies;

/** The activities of the task queue `lead`. */
export function createLeadActivities(deps: LeadActivityDependencies): LeadActivities {
  const { prisma } = deps;
  const ruleBook = createRuleBook();
  const scoreAfterEnrichment: LeadActivities['scoreAfterEnrichment'] = (input) =>
    prisma.$transaction((tx) => recordScoreAfterEnrichment(tx, input, ruleBook));
  return {
    enrichLead: createEnrich(deps, onboardingEnrichment),

    scoreLead: (input) => prisma.$transaction((tx) => recordScore(tx, input, ruleBook)),

    closeOnboarding: (input) => prisma.$transaction((tx) => closeOnboarding(tx, input)),

    findExpiredLeads: (query) => findExpiredLeads(prisma, query),

    async eraseExpiredLeads({ leadIds, retentionDays, requestId }) {
      for (const leadId of leadIds) {
        heartbeat();
        cancellationSignal().throwIfAborted();
        await eraseIfExpired(prisma, { leadId, retentionDays, requestId }).catch((err: unknown) => {
          if (databaseFault(err)) throw err;
          log.error('lead not erased: the next night tries again', { leadId, ...describeError(err) });
        });
      }
      const kept = await prisma.leadRecord.count({ where: { id: { in: leadIds } } });
      return { erased: leadIds.length - kept };
    },
    rescorePage: (input) =>
      prisma.$transaction((tx) => rescorePage(tx, input, { ruleBook, pageSize: pageSizeOf(activityInfo().attempt) })),
    enrichAgain: createEnrich(deps, enrichAgainStep),

    scoreAfterEnrichment,
    rescoreAfterEnrichment: scoreAfterEnrichment,
  };
}
