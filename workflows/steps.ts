import { type ActivityOptions, patched, proxyActivities } from '@temporalio/workflow';
import type { LeadActivities, NotificationActivities } from './activities.ts';
import {
  type AssignmentRef,
  type CloseInput,
  type LeadPriority,
  type OnboardingInput,
  type OnboardingRef,
  type ScoreInput,
  TASK_QUEUES,
} from './contract.ts';
import type { EnrichmentInput, EnrichmentRef } from './enrichment-contract.ts';
import { bulkPriority, bulkScorePriority, lastPriority, leadPriority, scorePriority } from './priorities.ts';
import type { RescoreRef } from './rescore-contract.ts';
import type { BulkRetryActivities, BulkRetryInput } from './retry-contract.ts';
import type { WebhookActivities, WebhookRef } from './webhook-contract.ts';

// No step has a scheduleToCloseTimeout: it would count the time in the queue, and drop what only waited for a worker.
// When a step that fails gives up is written in activities/failure-policy.ts.

const NOTIFY: ActivityOptions = {
  taskQueue: TASK_QUEUES.notification,
  startToCloseTimeout: '10 seconds', // a few short statements; longer means that something is gone
  retry: { initialInterval: '1 second', maximumInterval: '1 minute' },
};

const ENRICH: ActivityOptions = {
  taskQueue: TASK_QUEUES.lead,
  startToCloseTimeout: '30 seconds', // the longest honest run of all sources together
  heartbeatTimeout: '10 seconds', // a killed worker is noticed, and a cancellation arrives, within this
  cancellationType: 'TRY_CANCEL', // "skip" must not wait for a source that hangs
  retry: { initialInterval: '1 second', maximumInterval: '1 minute' },
};

const SCORE: ActivityOptions = {
  taskQueue: TASK_QUEUES.lead,
  startToCloseTimeout: '10 seconds', // one transaction
  retry: { initialInterval: '1 second', maximumInterval: '1 minute' },
};

const RETAIN: ActivityOptions = {
  taskQueue: TASK_QUEUES.lead,
  startToCloseTimeout: '2 minutes', // a page: for each lead some short statements
  heartbeatTimeout: '15 seconds', // one lead takes less, also while the database is slow
  retry: { initialInterval: '1 second', maximumInterval: '1 minute' }, // no end: only our own database can fail it
  priority: lastPriority('retention'),
};

const RESCORE_PAGE: ActivityOptions = {
  taskQueue: TASK_QUEUES.lead,
  startToCloseTimeout: '10 seconds', // one transaction of about half a second; also when a killed worker is noticed
  retry: { initialInterval: '1 second', maximumInterval: '1 minute' }, // no end: only our own database can fail it
};

const RETRY_PAGE: ActivityOptions = {
  taskQueue: TASK_QUEUES.lead,
  startToCloseTimeout: '15 seconds', // 50 transactions at most, of some milliseconds; also when a killed worker is noticed
  retry: { initialInterval: '1 second', maximumInterval: '1 minute' }, // no end: only our own database can fail it
  priority: lastPriority('retry'),
};

const DELIVER: ActivityOptions = {
  taskQueue: TASK_QUEUES.webhook,
  startToCloseTimeout: '20 minutes', // it ends by itself after 15
  heartbeatTimeout: '20 seconds', // an endpoint is waited for half as long
  retry: { initialInterval: '1 second', maximumInterval: '1 minute' }, // no end: only our own database can fail it
};

/**
 * The activities of one onboarding, each with its queue, timeouts, retries, priority and summary.
 * @param priority of the lead at the moment when a step is ordered
 */
export function onboardingSteps(
  { leadId, organizationId, inBulk = false }: OnboardingInput,
  priority: () => LeadPriority,
) {
  const placeOfStep = inBulk ? bulkPriority : leadPriority;
  const placeOfScore = inBulk ? bulkScorePriority : scorePriority;
  const options = (place: typeof leadPriority, summary: string) => ({
    priority: place({ organizationId, priority: priority() }),
    summary: `${summary} lead ${leadId}`,
  });
  const notification = () =>
    proxyActivities<NotificationActivities>({ ...NOTIFY, ...options(placeOfStep, 'Notify the assignee of') });
  const enrichment = () => proxyActivities<LeadActivities>({ ...ENRICH, ...options(placeOfStep, 'Enrich') });
  const score = () => proxyActivities<LeadActivities>({ ...SCORE, ...options(placeOfScore, 'Score') });
  const closing = () =>
    proxyActivities<LeadActivities>({ ...SCORE, ...options(placeOfScore, 'Record the outcome of') });
  return {
    notifyAssignee: (ref: OnboardingRef) => notification().notifyAssignee(ref),
    enrichLead: (ref: OnboardingRef) => enrichment().enrichLead(ref),
    scoreLead: (input: ScoreInput) => score().scoreLead(input),
    closeOnboarding: (input: CloseInput) => closing().closeOnboarding(input),
  };
}

/** The activities of an enrichment that somebody ordered after the onboarding. */
export function enrichmentSteps(input: EnrichmentInput) {
  const enrichment = proxyActivities<Pick<LeadActivities, 'enrichAgain'>>({
    ...ENRICH,
    priority: leadPriority(input),
    summary: `Enrich lead ${input.leadId} again`,
  });
  const score = proxyActivities<Pick<LeadActivities, 'rescoreAfterEnrichment' | 'scoreAfterEnrichment'>>({
    ...SCORE,
    priority: scorePriority(input),
    summary: `Score lead ${input.leadId} again`,
  });
  return {
    enrichAgain: enrichment.enrichAgain,
    scoreAfterEnrichment: (ref: EnrichmentRef) =>
      patched('scoreAfterEnrichment') ? score.scoreAfterEnrichment(ref) : score.rescoreAfterEnrichment(ref),
  };
}

/** The one activity that tells a later assignee. */
export function reassignmentSteps(input: AssignmentRef) {
  return proxyActivities<Pick<NotificationActivities, 'notifyReassigned'>>({
    ...NOTIFY,
    priority: leadPriority(input),
    summary: `Notify assignee ${input.assignment} of lead ${input.leadId}`,
  });
}

/** The activities that end the retention of leads. */
export function retentionSteps() {
  return proxyActivities<Pick<LeadActivities, 'findExpiredLeads' | 'eraseExpiredLeads'>>(RETAIN);
}

/** The one activity that scores leads anew, a page at a time: it comes after everything else in its queue. */
export function rescoreSteps({ rescoreId, organizationId }: RescoreRef) {
  return proxyActivities<Pick<LeadActivities, 'rescorePage'>>({
    ...RESCORE_PAGE,
    priority: lastPriority(organizationId),
    summary: `Score a page of rescore ${rescoreId}`,
  });
}

/** The one activity that retries leads for an operator, a page at a time: it comes after everything else in its queue. */
export function bulkRetrySteps({ retryId }: BulkRetryInput) {
  return proxyActivities<BulkRetryActivities>({ ...RETRY_PAGE, summary: `Retry a page of leads of ${retryId}` });
}

/** The one activity that delivers events to a webhook endpoint. */
export function webhookSteps({ endpointId }: WebhookRef) {
  return proxyActivities<WebhookActivities>({ ...DELIVER, summary: `Deliver to webhook endpoint ${endpointId}` });
}
