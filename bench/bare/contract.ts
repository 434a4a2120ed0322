export const BARE_ONBOARDING = 'bareOnboarding';

export interface BareInput {
  leadId: string;
  delayMs: number;
}

/** Queues like ours, with as many slots; the first is for workflows. */
export const BARE_QUEUES = {
  'lead-onboarding': { taskQueue: 'bare-onboarding', slots: 0 },
  notification: { taskQueue: 'bare-notification', slots: 10 },
  lead: { taskQueue: 'bare-lead', slots: 3 },
} as const;

/** What a worker writes when it asks for work. */
export const POLLS = 'bare worker polls';
