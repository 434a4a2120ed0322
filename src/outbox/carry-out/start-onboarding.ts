import { type Client, WorkflowExecutionAlreadyStartedError } from '@temporalio/client';
import type { WorkflowIdReusePolicy } from '@temporalio/common';
import { LEAD_ONBOARDING, onboardingWorkflowId, TASK_QUEUES } from '../../../workflows/contract.ts';
import type { leadOnboarding } from '../../../workflows/index.ts';
import { bulkPriority, leadPriority } from '../../../workflows/priorities.ts';
import { withDeadline } from '../../temporal/connection.ts';
import { isAttributeFault, startAttributes } from '../../temporal/search-attributes.ts';
import type { StartOrder } from '../order.ts';
import type { CarrierDependencies } from './dependencies.ts';

/** @throws the client's error, or one that says that an earlier round still runs: the order is tried again */
export async function startOnboarding(
  { client, searchAttributes, log }: CarrierDependencies,
  order: StartOrder,
): Promise<void> {
  const { leadId, organizationId, payload } = order;
  const workflowId = onboardingWorkflowId(leadId);
  const start = (withAttributes: boolean) =>
    client.workflow.start<typeof leadOnboarding>(LEAD_ONBOARDING, {
      taskQueue: TASK_QUEUES.onboarding,
      workflowId,
      args: [
        {
          leadId,
          organizationId,
          round: payload.round,
          enrichmentDelayMs: payload.enrichmentDelayMs,
          priority: payload.priority,
          requestId: payload.requestId,
          searchAttributes: withAttributes,
          ...(payload.inBulk && { inBulk: true }),
          ...(payload.commands && { acceptedCommands: payload.commands }),
        },
      ],
      workflowIdReusePolicy: reusePolicy(payload.round === 1 && !payload.again),
      workflowIdConflictPolicy: payload.round === 1 ? 'USE_EXISTING' : 'FAIL',
      memo: { round: payload.round },
      priority: (payload.inBulk ? bulkPriority : leadPriority)({ organizationId, priority: payload.priority }),
      staticSummary: `Onboard lead ${leadId}`,
      staticDetails: `Organization \`${organizationId}\` · source ${payload.source} · priority ${payload.priority}`,
      ...(withAttributes && {
        typedSearchAttributes: startAttributes({ leadId, organizationId, source: payload.source }),
      }),
    });
  await withDeadline(client, async () => {
    try {
      await start(searchAttributes.known);
    } catch (err) {
      if (err instanceof WorkflowExecutionAlreadyStartedError)
        return refuseOlderRound(client, workflowId, payload.round);
      if (!isAttributeFault(err)) throw err;
      searchAttributes.forget();
      await start(false);
    }
  });
  log.info({ leadId, organizationId, requestId: payload.requestId, workflowId }, 'workflow started');
}

/**
 * After a run of the same id has ended, a first start is refused, so that it happens once. A retry comes after any end,
 * and so does a start that is ordered again: a run can have ended well although Postgres, restored from a backup, does
 * not know, and what Postgres does know is not done twice.
 */
export const reusePolicy = (first: boolean): WorkflowIdReusePolicy => (first ? 'REJECT_DUPLICATE' : 'ALLOW_DUPLICATE');

/**
 * A retry can come while the run of the round before is just ending: that run is not the one ordered.
 * @throws Error, so that the order is tried again, when the run is of another round.
 */
async function refuseOlderRound(client: Client, workflowId: string, round: number): Promise<void> {
  if (round === 1) return;
  const { memo } = await client.workflow.getHandle(workflowId).describe();
  if (memo?.round !== round) throw new Error(`${workflowId} still runs an earlier round`);
}
