import type { AssignmentRef, NotifyResult } from './contract.ts';
import { isClosed } from './outcomes.ts';
import { reassignmentSteps } from './steps.ts';

/** Tells an assignee that a lead got after its creation. It is apart from the onboarding, which may be over; so may the lead. */
export async function assigneeNotification(input: AssignmentRef): Promise<NotifyResult> {
  const { notifyReassigned } = reassignmentSteps(input);
  try {
    return await notifyReassigned(input);
  } catch (err) {
    if (isClosed(err)) return { outcome: 'skipped' };
    throw err;
  }
}
