import { activityInfo } from '@temporalio/activity';
import { uuidv7 } from 'uuidv7';
import type { AssignmentRef, OnboardingRef } from '../../workflows/contract.ts';
import type { EnrichmentRef } from '../../workflows/enrichment-contract.ts';
import type { Prisma } from '../db/generated/client.ts';
import { WATCHED } from '../outbox/watch.ts';

/** What is recorded once for each round of an onboarding, however often the activity behind it runs: parts of keys, here and in the database. */
export type Step = 'started' | 'notification' | 'enrichment.started' | 'enrichment' | 'score' | 'outcome';

/** What steps belong to: a round of an onboarding, the telling of a later assignee, or an enrichment after it. */
export type StepOwner = OnboardingRef | AssignmentRef | EnrichmentRef;

/** The entries that are written from here; those of steps that are functions of the database are written there. */
export type StepEventType =
  | 'notification.failed'
  | 'notification.skipped'
  | 'enrichment.skipped'
  | 'onboarding.completed'
  | 'onboarding.canceled'
  | 'onboarding.failed';

/** Tells the steps of one owner from those of another, within a lead. */
export const ownerKey = (owner: StepOwner) =>
  'assignment' in owner
    ? WATCHED.assignment(owner.assignment)
    : 'run' in owner
      ? WATCHED.enrichment(owner.run)
      : owner.round;

export const stepKey = (owner: number | string, step: Step) => `${owner}/${step}`;

/**
 * Writes a step's timeline entry, in the transaction of its effect.
 * @returns false when the step is on the timeline already: the effect must not happen again.
 */
export async function recordStep(
  tx: Prisma.TransactionClient,
  ref: StepOwner,
  step: Step,
  type: StepEventType,
  data: Prisma.InputJsonObject = {},
  origin = activityOrigin(ref.requestId),
): Promise<boolean> {
  const { count } = await tx.leadEvent.createMany({
    data: {
      id: uuidv7(),
      leadId: ref.leadId,
      organizationId: ref.organizationId,
      type,
      data,
      metadata: origin,
      stepKey: stepKey(ownerKey(ref), step),
    },
    skipDuplicates: true,
  });
  return count === 1;
}

/** Which attempt of which run wrote an entry. */
export function activityOrigin(requestId: string): Prisma.InputJsonObject {
  const { workflowExecution, activityId, attempt } = activityInfo();
  return { requestId, activityId, attempt, ...workflowExecution };
}

/** What an entry says of a step that gave up. */
export const reasonOf = ({ reason }: { reason?: string }) => (reason === undefined ? {} : { reason });
