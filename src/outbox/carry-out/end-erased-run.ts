import { type Client, WorkflowNotFoundError } from '@temporalio/client';
import { onboardingWorkflowId } from '../../../workflows/contract.ts';
import { TEMPORAL_DEADLINE_MS, withDeadline } from '../../temporal/connection.ts';
import type { SignalOrder } from '../order.ts';

/** An order to start the run may have been in somebody's hands when it was erased with its lead. */
const MAY_START_MS = 2 * TEMPORAL_DEADLINE_MS;

/**
 * Cancels whatever runs for a lead that was erased. One that comes to run later ends by itself at its next step.
 * @returns whether there was a run
 * @throws the client's error, so that the order is tried again: also while a run may yet start
 */
export async function endErasedRun(client: Client, { leadId }: SignalOrder, erasedAt: string): Promise<boolean> {
  const handle = client.workflow.getHandle(onboardingWorkflowId(leadId));
  try {
    await withDeadline(client, () => handle.cancel());
    return true;
  } catch (err) {
    const mayStart = Date.now() < Date.parse(erasedAt) + MAY_START_MS;
    if (!(err instanceof WorkflowNotFoundError) || mayStart) throw err;
    return false;
  }
}
