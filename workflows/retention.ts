import { continueAsNew, setWorkflowOptions, workflowInfo } from '@temporalio/workflow';
import type { RetentionInput, RetentionResult } from './retention-contract.ts';
import { retentionSteps } from './steps.ts';
import { goesOnWithNewest } from './versioning.ts';

/**
 * Erases the leads whose retention period is over, page by page. A page that is erased again, after a worker died in
 * the middle of it, counts the same.
 */
export async function retention(input: RetentionInput): Promise<RetentionResult> {
  const { findExpiredLeads, eraseExpiredLeads } = retentionSteps();
  const { retentionDays, pageSize, pagesPerRun } = input;
  const { workflowId: requestId } = workflowInfo();
  let { after, erased = 0 } = input;
  for (let page = 0; page < pagesPerRun; page += 1) {
    const { leadIds, next } = await findExpiredLeads({ retentionDays, pageSize, after });
    if (leadIds.length > 0) erased += (await eraseExpiredLeads({ retentionDays, leadIds, requestId })).erased;
    if (!next) return { erased };
    after = next;
  }
  return continueAsNew<typeof retention>({ ...input, after, erased });
}

setWorkflowOptions(goesOnWithNewest, retention);
