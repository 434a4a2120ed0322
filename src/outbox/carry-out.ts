import { type Client, WorkflowExecutionAlreadyStartedError } from '@temporalio/client';
import type { WorkflowIdReusePolicy } from '@temporalio/common';
import {
  ASSIGNEE_NOTIFICATION,
  assigneeNotificationWorkflowId,
  LEAD_ONBOARDING,
  onboardingWorkflowId,
  PRIORITY_SIGNAL,
  TASK_QUEUES,
} from '../../workflows/contract.ts';
import { enrichmentWorkflowId, LEAD_ENRICHMENT } from '../../workflows/enrichment-contract.ts';
import { RESCORE, RESCORE_WAKE, rescoreWorkflowId } from '../../workflows/rescore-contract.ts';
import { BULK_RETRY, BULK_RETRY_WAKE, bulkRetryWorkflowId } from '../../workflows/retry-contract.ts';
import type {
  assigneeNotification,
  leadEnrichment,
  leadOnboarding,
  rescoreLeads,
  retryLeads,
} from '../../workflows/index.ts';
import { bulkPriority, lastPriority, leadPriority } from '../../workflows/priorities.ts';
import type { Logger } from '../telemetry/logger.ts';
import { withDeadline } from '../temporal/connection.ts';
import { isAttributeFault, startAttributes } from '../temporal/search-attributes.ts';
import type { SearchAttributeRegistry } from '../temporal/search-attribute-registry.ts';
import { endErasedRun } from './end-erased-run.ts';
import type { EnrichOrder, NotifyOrder, Order, RescoreOrder, RetryOrder, SignalOrder, StartOrder } from './order.ts';

export interface CarrierDependencies {
  client: Client;
  searchAttributes: SearchAttributeRegistry;
  log: Logger;
}

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

async function startOnboarding(
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
const reusePolicy = (first: boolean): WorkflowIdReusePolicy => (first ? 'REJECT_DUPLICATE' : 'ALLOW_DUPLICATE');

/**
 * A retry can come while the run of the round before is just ending: that run is not the one ordered.
 * @throws Error, so that the order is tried again, when the run is of another round.
 */
async function refuseOlderRound(client: Client, workflowId: string, round: number): Promise<void> {
  if (round === 1) return;
  const { memo } = await client.workflow.getHandle(workflowId).describe();
  if (memo?.round !== round) throw new Error(`${workflowId} still runs an earlier round`);
}

/**
 * A command for a run that is over, or for a round that a newer one has followed, has nothing left to do.
 * @throws Error, so that the order is tried again, while the run of its round is not there yet.
 */
async function signalOnboarding({ client, log }: CarrierDependencies, order: SignalOrder): Promise<void> {
  const workflowId = onboardingWorkflowId(order.leadId);
  const { payload } = order;
  const { signal, round, requestId } = payload;
  const argument = payload.signal === PRIORITY_SIGNAL ? [{ priority: payload.priority, version: payload.version }] : [];
  const line = { leadId: order.leadId, workflowId, signal, round, requestId };
  if (payload.signal !== PRIORITY_SIGNAL && payload.erasedAt !== undefined) {
    const ended = await endErasedRun(client, order, payload.erasedAt);
    log.info(line, ended ? 'command passed on' : 'command came too late');
    return;
  }
  await withDeadline(client, async () => {
    const run = await client.workflow.getHandle(workflowId).describe();
    const running = Number(run.memo?.['round'] ?? 1);
    if (running < round) throw new Error(`${workflowId} still runs an earlier round`);
    if (running > round || run.status.name !== 'RUNNING') {
      log.info(line, 'command came too late');
      return;
    }
    const handle = client.workflow.getHandle(workflowId, run.runId);
    await (signal === 'cancel' ? handle.cancel() : handle.signal(signal, ...argument)); // only Temporal's own cancel ends it as canceled
    log.info(line, 'command passed on');
  });
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

/** Starts the run of a rescore, or wakes the one that there is. One that is not wanted any more finds that out. */
async function startRescore({ client, log }: CarrierDependencies, order: RescoreOrder): Promise<void> {
  const { organizationId, payload } = order;
  const workflowId = rescoreWorkflowId(payload.rescoreId);
  await withDeadline(client, () =>
    client.workflow.signalWithStart<typeof rescoreLeads>(RESCORE, {
      taskQueue: TASK_QUEUES.onboarding,
      workflowId,
      args: [{ ...payload, organizationId, pages: 0 }],
      signal: RESCORE_WAKE,
      signalArgs: [],
      workflowIdReusePolicy: 'ALLOW_DUPLICATE',
      priority: lastPriority(organizationId),
      staticSummary: `Rescore ${payload.rescoreId}`,
      staticDetails: `Organization \`${organizationId}\``,
    }),
  );
  log.info({ organizationId, requestId: payload.requestId, workflowId }, 'workflow started or woken');
}

/** The same for a bulk retry. */
async function startBulkRetry({ client, log }: CarrierDependencies, { payload }: RetryOrder): Promise<void> {
  const workflowId = bulkRetryWorkflowId(payload.retryId);
  await withDeadline(client, () =>
    client.workflow.signalWithStart<typeof retryLeads>(BULK_RETRY, {
      taskQueue: TASK_QUEUES.onboarding,
      workflowId,
      args: [payload],
      signal: BULK_RETRY_WAKE,
      signalArgs: [],
      workflowIdReusePolicy: 'ALLOW_DUPLICATE',
      priority: lastPriority('retry'),
      staticSummary: `Retry ${payload.retryId}`,
    }),
  );
  log.info({ requestId: payload.requestId, workflowId }, 'workflow started or woken');
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
