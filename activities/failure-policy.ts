import { databaseFault } from '../src/db/faults.ts';
import type { FailurePolicy } from '../src/temporal/failure-limit.ts';
import type { LeadActivities, NotificationActivities } from '../workflows/activities.ts';

const MINUTE_MS = 60_000;

/** A fault in our code, or a row that the database refuses: what failed so often will fail again. */
const OURS = { failures: 15, forMs: 10 * MINUTE_MS };
/** A score without the sources serves the seller better than none. */
const ENRICHMENT = { failures: 5, forMs: 15 * MINUTE_MS };

const limits = {
  notifyAssignee: OURS,
  notifyReassigned: OURS,
  enrichLead: ENRICHMENT,
  enrichAgain: ENRICHMENT,
  scoreLead: OURS,
  closeOnboarding: OURS,
  scoreAfterEnrichment: OURS,
  rescoreAfterEnrichment: OURS,
} satisfies Partial<Record<keyof (LeadActivities & NotificationActivities), unknown>>;

/** When the steps of a lead give up. A database that is away, or slow, is waited for: it is so for all leads. */
export const failurePolicy: FailurePolicy = { limits, isExcused: (err) => databaseFault(err) !== undefined };
