import type {
  AssignmentRef,
  CloseInput,
  CloseResult,
  EnrichResult,
  NotifyResult,
  OnboardingRef,
  ScoreInput,
  ScoreResult,
} from './contract.ts';
import type { EnrichmentActivities } from './enrichment-contract.ts';
import type { RescoreActivities } from './rescore-contract.ts';
import type { RetentionActivities } from './retention-contract.ts';
import type { BulkRetryActivities } from './retry-contract.ts';

/** Activities on the task queue `notification`. */
export interface NotificationActivities {
  /** The notify step of an onboarding. */
  notifyAssignee: (input: OnboardingRef) => Promise<NotifyResult>;
  /** Tells an assignee that the lead got after its creation, whatever the state of its onboarding. */
  notifyReassigned: (input: AssignmentRef) => Promise<NotifyResult>;
}

/** Activities on the task queue `lead`. */
export interface LeadActivities
  extends EnrichmentActivities, RescoreActivities, RetentionActivities, BulkRetryActivities {
  enrichLead: (input: OnboardingRef) => Promise<EnrichResult>;
  scoreLead: (input: ScoreInput) => Promise<ScoreResult>;
  closeOnboarding: (input: CloseInput) => Promise<CloseResult>;
}
