import { WorkflowExecutionAlreadyStartedError } from '@temporalio/client';
import type { Priority } from '@temporalio/common';
import { ASSIGNEE_NOTIFICATION, assigneeNotificationWorkflowId, TASK_QUEUES } from '../../../workflows/contract.ts';
import { enrichmentWorkflowId, LEAD_ENRICHMENT } from '../../../workflows/enrichment-contract.ts';
import type { assigneeNotification, leadEnrichment, rescoreLeads, retryLeads } from '../../../workflows/index.ts';
import { lastPriority, leadPriority } from '../../../workflows/priorities.ts';
import { RESCORE, RESCORE_WAKE, rescoreWorkflowId } from '../../../workflows/rescore-contract.ts';
import { BULK_RETRY, BULK_RETRY_WAKE, bulkRetryWorkflowId } from '../../../workflows/retry-contract.ts';
import { withDeadline } from '../../temporal/connection.ts';
import type { EnrichOrder, NotifyOrder, Order, RescoreOrder, RetryOrder } from '../order.ts';
import type { CarrierDependencies } from './dependencies.ts';
import { signalOnboarding } from './signal-onboarding.ts';
import { reusePolicy, startOnboarding } from './start-onboarding.ts';

/**
 * Hands one order to Temporal. Safe to repeat: a run that exists already counts as started.
 * @throws the client's error when Temporal did not take it; `explainFailure` says what that means.
 */
export async function carryOut(deps: CarrierDependencies, order: Order): Promise<void> {
  switch (order.kind) {
    case 'START_ONBOARDING':
      return startOnboarding(deps, order);
    case 'SIGNAL_ONBOARDING':
      return signalOnboarding(deps, order);
    case 'NOTIFY_ASSIGNEE':
      return startNotification(deps, order);
    case 'RESCORE_LEADS':
      return startRescore(deps, order);
    case 'ENRICH_LEAD':
      return startEnrichment(deps, order);
    case 'RETRY_LEADS':
      return startBulkRetry(deps, order);
  }
}

/** Starts the run of a rescore, or wakes the one that there is. One that is not wanted any more finds that out. */
function startRescore(deps: CarrierDependencies, { organizationId, payload }: RescoreOrder): Promise<void> {
  return startOrWake(deps, RESCORE, {
    workflowId: rescoreWorkflowId(payload.rescoreId),
    args: [{ ...payload, organizationId, pages: 0 }] satisfies Parameters<typeof rescoreLeads>,
    signal: RESCORE_WAKE,
    priority: lastPriority(organizationId),
    staticSummary: `Rescore ${payload.rescoreId}`,
    staticDetails: `Organization \`${organizationId}\``,
    line: { organizationId, requestId: payload.requestId },
  });
}

/** The same for a bulk retry. */
function startBulkRetry(deps: CarrierDependencies, { payload }: RetryOrder): Promise<void> {
  return startOrWake(deps, BULK_RETRY, {
    workflowId: bulkRetryWorkflowId(payload.retryId),
    args: [payload] satisfies Parameters<typeof retryLeads>,
    signal: BULK_RETRY_WAKE,
    priority: lastPriority('retry'),
    staticSummary: `Retry ${payload.retryId}`,
    line: { requestId: payload.requestId },
  });
}

interface OneRun {
  workflowId: string;
  args: unknown[];
  /** What wakes a run that waits. */
  signal: string;
  priority: Priority;
  staticSummary: string;
  staticDetails?: string;
  /** Of the log. */
  line: Record<string, string>;
}

async function startOrWake(
  { client, log }: CarrierDependencies,
  type: string,
  { line, ...run }: OneRun,
): Promise<void> {
  await withDeadline(client, () =>
    client.workflow.signalWithStart(type, {
      ...run,
      taskQueue: TASK_QUEUES.onboarding,
      signalArgs: [],
      workflowIdReusePolicy: 'ALLOW_DUPLICATE',
    }),
  );
  log.info({ ...line, workflowId: run.workflowId }, 'workflow started or woken');
}

async function startNotification({ client, log }: CarrierDependencies, order: NotifyOrder): Promise<void> {
  const { leadId, organizationId } = order;
  const { again = false, ...payload } = order.payload;
  const workflowId = assigneeNotificationWorkflowId(leadId, payload.assignment);
  try {
    await withDeadline(client, () =>
      client.workflow.start<typeof assigneeNotification>(ASSIGNEE_NOTIFICATION, {
        taskQueue: TASK_QUEUES.onboarding,
        workflowId,
        args: [{ leadId, organizationId, ...payload }],
        workflowIdReusePolicy: reusePolicy(!again),
        workflowIdConflictPolicy: 'USE_EXISTING',
        priority: leadPriority({ organizationId, priority: payload.priority }),
        staticSummary: `Notify assignee ${payload.assignment} of lead ${leadId}`,
      }),
    );
    log.info({ leadId, organizationId, requestId: payload.requestId, workflowId }, 'workflow started');
  } catch (err) {
    if (!(err instanceof WorkflowExecutionAlreadyStartedError)) throw err;
  }
}

async function startEnrichment({ client, log }: CarrierDependencies, order: EnrichOrder): Promise<void> {
  const { leadId, organizationId, payload } = order;
  const workflowId = enrichmentWorkflowId(leadId, payload.run);
  await withDeadline(client, () =>
    client.workflow.start<typeof leadEnrichment>(LEAD_ENRICHMENT, {
      taskQueue: TASK_QUEUES.onboarding,
      workflowId,
      args: [{ leadId, organizationId, ...payload }],
      workflowIdReusePolicy: 'ALLOW_DUPLICATE',
      workflowIdConflictPolicy: 'USE_EXISTING',
      priority: leadPriority({ organizationId, priority: payload.priority }),
      staticSummary: `Enrich lead ${leadId} again`,
    }),
  );
  log.info({ leadId, organizationId, requestId: payload.requestId, workflowId }, 'workflow started');
}
