import { type LeadActivities, type NotificationActivities, onboardingWorkflowId } from '../../workflows/contract.ts';
import type { LeadEvent, PrismaClient } from '../db/generated/client.ts';
import { LeadNotFound } from '../leads/errors.ts';
import type { OnboardingRuns, RunView } from './runs.ts';
import { type Step, stepKey } from './step-record.ts';

export const STEP_STATES = ['waiting', 'running', 'completed', 'partial', 'skipped', 'failed'] as const;
type StepState = (typeof STEP_STATES)[number];

const STEPS = [
  { name: 'notify', activity: 'notifyAssignee', step: 'notification' },
  { name: 'enrich', activity: 'enrichLead', step: 'enrichment' },
  { name: 'score', activity: 'scoreLead', step: 'score' },
] as const satisfies { name: string; activity: keyof (NotificationActivities & LeadActivities); step: Step }[];

/**
 * Where the onboarding of a lead stands: what is done from Postgres, what is under way from Temporal, if it answers.
 * @throws LeadNotFound
 */
export async function onboardingStatus(prisma: PrismaClient, runs: OnboardingRuns, leadId: string) {
  const select = { id: true, onboardingState: true, onboardingRound: true } as const;
  const lead = await prisma.lead.findUnique({ where: { id: leadId }, select });
  if (!lead) throw new LeadNotFound(leadId);
  const { id, onboardingState: state, onboardingRound: round } = lead; // the id as it is stored, not as it was spelled
  const run = await runs.describe(id);
  const keys = STEPS.map(({ step }) => stepKey(round, step));
  const events = await prisma.leadEvent.findMany({ where: { leadId: id, stepKey: { in: keys } } });
  return {
    state,
    round,
    workflowId: onboardingWorkflowId(id),
    temporalUrl: runs.url(id),
    temporal: run.temporal,
    steps: STEPS.map(({ name, activity, step }) => {
      const event = events.find((entry) => entry.stepKey === stepKey(round, step));
      return { name, ...(event ? recordedStep(event) : unrecordedStep(run, activity)) };
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

function unrecordedStep(run: RunView, activity: string) {
  const pending = run.pending.find((entry) => entry.activity === activity);
  const state: StepState = pending ? 'running' : 'waiting';
  return { state, attempts: pending?.attempt ?? 0, lastError: pending?.lastError ?? null, at: null };
}

/** `notification.created`, `enrichment.completed` and `score.calculated` are the good ends of their steps. */
function stateOf(eventType: string): StepState {
  const ending = eventType.split('.')[1];
  return STEP_STATES.find((state) => state === ending) ?? 'completed';
}
