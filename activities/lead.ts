import { activityInfo, cancellationSignal, heartbeat, log } from '@temporalio/activity';
import { databaseFault } from '../src/db/faults.ts';
import { closeOnboarding } from '../src/onboarding/close.ts';
import type { PrismaClient } from '../src/db/generated/client.ts';
import { retryPage } from '../src/failures/retry-page.ts';
import { recordScore, recordScoreAfterEnrichment } from '../src/onboarding/score-step.ts';
import { eraseIfExpired } from '../src/personal-data/retention/erase-expired.ts';
import { findExpiredLeads } from '../src/personal-data/retention/expired-leads.ts';
import { pageSizeOf, rescorePage } from '../src/scoring/rescore-page.ts';
import { createRuleBook } from '../src/scoring/rule-book.ts';
import { describeError } from '../src/telemetry/logger.ts';
import type { LeadActivities } from '../workflows/activities.ts';
import { createEnrich, type EnrichDependencies } from './enrich.ts';

export interface LeadActivityDependencies extends EnrichDependencies {
  prisma: PrismaClient;
}

/** The activities of the task queue `lead`. */
export function createLeadActivities(deps: LeadActivityDependencies): LeadActivities {
  const { pool, prisma } = deps;
  const ruleBook = createRuleBook();
  const enrich = createEnrich(deps);
  const scoring = { pool, prisma, ruleBook };
  const scoreAfterEnrichment: LeadActivities['scoreAfterEnrichment'] = (ref) =>
    recordScoreAfterEnrichment(scoring, ref);
  return {
    enrichLead: enrich,

    scoreLead: (input) => recordScore(scoring, input),

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
    retryPage: (input) => retryPage({ pool, prisma, signal: cancellationSignal() }, input),
    enrichAgain: enrich,

    scoreAfterEnrichment,
    rescoreAfterEnrichment: scoreAfterEnrichment,
  };
}
