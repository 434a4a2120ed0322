import type { AssignmentRef, NotifyResult } from './contract.ts';
import { reassignmentSteps } from './steps.ts';

/** Tells an assignee that a lead got after its creation. It is apart from the onboarding, which may be over. */
export async function assigneeNotification(input: AssignmentRef): Promise<NotifyResult> {
  const { notifyReassigned } = reassignmentSteps(input);
  return notifyReassigned(input);
}
