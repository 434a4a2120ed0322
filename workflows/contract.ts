/**
 * What the API, the workers and the onboarding share: names, ids and payload types. What only another workflow has is in
 * a contract of its own.
 * Payloads carry ids, enums and numbers only: whatever is written here ends up in Temporal histories.
 */

/** One task queue for each kind of work; a worker process polls one or more of them. */
export const TASK_QUEUES = {
  onboarding: 'lead-onboarding',
  notification: 'notification',
  lead: 'lead',
  webhook: 'webhook',
} as const;
export type TaskQueue = (typeof TASK_QUEUES)[keyof typeof TASK_QUEUES];

export const LEAD_ONBOARDING = 'leadOnboarding';
export const ASSIGNEE_NOTIFICATION = 'assigneeNotification';

/** The workflow id of a lead's onboarding: one per lead, so that a second start is refused by Temporal itself. */
export const onboardingWorkflowId = (leadId: string) => `lead-onboarding-${leadId}`;

/** The workflow id of telling one later assignee; `assignment` counts the assignees that the lead has had. */
export const assigneeNotificationWorkflowId = (leadId: string, assignment: number) =>
  `lead-assignment-${leadId}-${assignment}`;

export const LEAD_PRIORITIES = ['CRITICAL', 'HIGH', 'NORMAL', 'LOW'] as const;
export type LeadPriority = (typeof LEAD_PRIORITIES)[number];

export const LEAD_SOURCES = [
  'WEBSITE',
  'FORM',
  'ADS',
  'EVENT',
  'REFERRAL',
  'PARTNER',
  'CRM',
  'IMPORT',
  'OTHER',
] as const;
export type LeadSource = (typeof LEAD_SOURCES)[number];

export const SCORE_BANDS = ['HOT', 'WARM', 'COLD'] as const;
export type ScoreBand = (typeof SCORE_BANDS)[number];

export const ONBOARDING_STATES = ['PENDING', 'RUNNING', 'COMPLETED', 'PARTIAL', 'FAILED', 'CANCELED'] as const;
export type OnboardingState = (typeof ONBOARDING_STATES)[number];

/** Keyword search attributes of every onboarding, as operators type them in Temporal Web UI. */
export const SEARCH_ATTRIBUTES = ['LeadId', 'OrganizationId', 'LeadSource', 'OnboardingState', 'ScoreBand'] as const;

/** Names one onboarding of one lead. `round` is 1, and one more after each `retry`. */
export interface OnboardingRef {
  leadId: string;
  organizationId: string;
  round: number;
  /** The HTTP request that ordered it, so that logs can be followed from there. */
  requestId: string;
}

export interface OnboardingInput extends OnboardingRef {
  /** Milliseconds between the lead and its enrichment. Input, not environment, so that a replay sees the same number. */
  enrichmentDelayMs: number;
  priority: LeadPriority;
  /** True when it is one of many that an operator retries: its steps come after those of all other leads. */
  inBulk?: boolean;
  /** False when the cluster does not know our search attributes: upserting an unknown one would block the run. */
  searchAttributes: boolean;
  /** Commands that an earlier run of the round, which was lost, was given. */
  acceptedCommands?: EnrichmentCommand[];
}

export type NotificationOutcome = 'created' | 'skipped' | 'failed';
export type EnrichmentOutcome = 'completed' | 'partial' | 'skipped';

export interface NotifyResult {
  outcome: Exclude<NotificationOutcome, 'failed'>;
}

export interface EnrichResult {
  outcome: EnrichmentOutcome;
}

/** What the workflow knows of the other steps when it orders the score. A reason is an error type, never a message. */
export interface ScoreInput extends OnboardingRef {
  enrichment: StepReport<EnrichmentOutcome>;
  notification: StepReport<NotificationOutcome | 'pending'>;
}

export interface StepReport<Outcome extends string> {
  outcome: Outcome;
  reason?: string;
}

export interface ScoreResult {
  score: number;
  band: ScoreBand;
  /** `RUNNING` while the notification is still out; `closeOnboarding` ends it then. */
  state: Extract<OnboardingState, 'RUNNING' | 'COMPLETED' | 'PARTIAL'>;
}

export interface CloseInput extends OnboardingRef {
  /** `settled`: every step has an outcome, so that the state follows from them. */
  verdict: 'settled' | 'canceled' | 'failed';
  notification: StepReport<NotificationOutcome | 'pending'>;
  reason?: string;
}

export interface CloseResult {
  state: OnboardingState;
}

/** One later assignee of a lead; `assignment` counts the assignees that the lead has had. */
export interface AssignmentRef {
  leadId: string;
  organizationId: string;
  assignment: number;
  priority: LeadPriority;
  requestId: string;
}

/** What the query `onboarding` answers, what the Web UI shows as current details, and the result of the run. */
export interface OnboardingView {
  state: OnboardingState;
  notification: NotificationOutcome | 'pending';
  enrichment: EnrichmentOutcome | 'waiting' | 'running';
  score: number | null;
  band: ScoreBand | null;
}

/** Signal and query names. Commands are signals, so that they are taken while no worker is up. */
export const ONBOARDING_SIGNALS = {
  enrichNow: 'enrichNow',
  skipEnrichment: 'skipEnrichment',
  cancel: 'cancel',
} as const;
export type OnboardingSignal = keyof typeof ONBOARDING_SIGNALS;
/** The commands that leave the onboarding running. */
export type EnrichmentCommand = Exclude<OnboardingSignal, 'cancel'>;

/** Tells a run that its lead has another priority now. Apart from the commands: the lead has it, whatever becomes of the run. */
export const PRIORITY_SIGNAL = 'changePriority';

export interface PriorityChange {
  priority: LeadPriority;
  /** Of the lead, so that of two changes the later one is known. */
  version: number;
}

export const ONBOARDING_QUERY = 'onboarding';

/** Types of the failures that activities throw on purpose; the workflow decides by them. */
export const FAILURES = {
  /** The lead does not exist (any more): it was erased. */
  leadGone: 'LeadGone',
  /** This round of the onboarding ended otherwise: it was canceled, or a newer round runs. */
  onboardingClosed: 'OnboardingClosed',
} as const;
