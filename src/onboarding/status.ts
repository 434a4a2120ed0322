import type { LeadActivities, NotificationActivities } from '../../workflows/activities.ts';
import { onboardingWorkflowId } from '../../workflows/contract.ts';
import type { LeadEvent } from '../db/generated/client.ts';
import type { Tenant } from '../db/tenant.ts';
import { LeadNotFound } from '../leads/errors.ts';
import type { LeadRow } from '../leads/lead.ts';
import type { OnboardingRuns, PendingActivity } from './runs.ts';
import { type Step, stepKey } from './step-record.ts';

export const STEP_STATES = ['waiting', 'running', 'completed', 'partial', 'skipped', 'failed'] as const;
type StepState = (typeof STEP_STATES)[number];

interface StepOfStatus {
  name: 'notify' | 'enrich' | 'score';
  activity: keyof (NotificationActivities & LeadActivities);
  /** The entries that tell how it ended, the first before the others; those count once its activity is over as well. */
  ends: [Step, ...Step[]];
}

const STEPS: StepOfStatus[] = [
  { name: 'notify', activity: 'notifyAssignee', ends: ['notification'] },
  { name: 'enrich', activity: 'enrichLead', ends: ['enrichment'] },
  { name: 'score', activity: 'scoreLead', ends: ['score'] },
];

/**
 * Where the onboarding of a lead stands: what is done from Postgres, what is under way from Temporal, if it answers.
 * @throws LeadNotFound
 */
export async function onboardingStatus(tenant: Tenant, runs: OnboardingRuns, leadId: string) {
  const select = { id: true, onboardingState: true, onboardingRound: true } as const;
  const lead = (await tenant.read((db) => db.lead.findUnique({ where: { id: leadId }, select }))) as Pick<
    LeadRow,
    keyof typeof select
  > | null;
  if (!lead) throw new LeadNotFound(leadId);
  const { id, onboardingState: state, onboardingRound: round } = lead; // the id as it is stored, not as it was spelled
  const run = await runs.describe(id); // outside of a transaction: it may take a second
  const keys = STEPS.flatMap(({ ends }) => ends.map((step) => stepKey(round, step)));
  const events = await tenant.read((db) => db.leadEvent.findMany({ where: { leadId: id, stepKey: { in: keys } } }));
  const entries = new Map(events.map((event) => [event.stepKey, event]));
  return {
    state,
    round,
    workflowId: onboardingWorkflowId(id),
    temporalUrl: runs.url(id),
    temporal: run.temporal,
    steps: STEPS.map(({ name, activity, ends }) => {
      const pending = run.pending.find((entry) => entry.activity === activity);
      const [entry] = (pending ? ends.slice(0, 1) : ends).flatMap((step) => entries.get(stepKey(round, step)) ?? []);
      return { name, ...(entry ? recordedStep(entry) : unrecordedStep(pending)) };
    }),
  };
}

function recordedStep(event: LeadEvent) {
  const { attempt } = event.metadata as { attempt?: number };
  const { reason } = event.data as { reason?: string };
  const state = stateOf(event.type);
  return {
    state,
    attempts: state === 'completed' ? (attempt ?? null) : null,
    lastError: reason === undefined ? null : { type: reason, message: reason },
    at: event.at.toISOString(),
  };
}

function unrecordedStep(pending: PendingActivity | undefined) {
  const state: StepState = pending ? 'running' : 'waiting';
  return { state, attempts: pending?.attempt ?? 0, lastError: pending?.lastError ?? null, at: null };
}

/** `notification.created`, `enrichment.completed` and `score.calculated` are good ends of their steps. */
function stateOf(eventType: string): StepState {
  const ending = eventType.split('.')[1];
  return STEP_STATES.find((state) => state === ending) ?? 'completed';
}
