import { randomUUID } from 'node:crypto';
import { expect } from 'vitest';
import type { Order } from '../../src/outbox/order.ts';
import { assigneeNotificationWorkflowId } from '../../workflows/contract.ts';
import { enrichmentWorkflowId } from '../../workflows/enrichment-contract.ts';
import { rescoreWorkflowId } from '../../workflows/rescore-contract.ts';
import { bulkRetryWorkflowId } from '../../workflows/retry-contract.ts';
import { test } from '../support/onboarding.ts';
import { carrierTo } from '../support/relay.ts';
import { createTestClient } from '../support/temporal.ts';

const client = createTestClient();
const carry = carrierTo(client);
const [lead, run] = [randomUUID(), randomUUID()];
const order = { id: randomUUID(), leadId: lead, organizationId: 'org-1' };
const requestId = 'request-1';

const RUNS: [string, Order, string, object][] = [
  [
    `Notify assignee 2 of lead ${lead}`,
    { ...order, kind: 'NOTIFY_ASSIGNEE', payload: { assignment: 2, priority: 'HIGH', requestId } },
    assigneeNotificationWorkflowId(lead, 2),
    { priorityKey: 2, fairnessKey: 'org-1' },
  ],
  [
    `Enrich lead ${lead} again`,
    { ...order, kind: 'ENRICH_LEAD', payload: { run, fresh: true, priority: 'LOW', requestId } },
    enrichmentWorkflowId(lead, run),
    { priorityKey: 4, fairnessKey: 'org-1' },
  ],
  [
    `Rescore ${run}`,
    { ...order, leadId: null, kind: 'RESCORE_LEADS', payload: { rescoreId: run, requestId } },
    rescoreWorkflowId(run),
    { priorityKey: 5, fairnessKey: 'org-1' },
  ],
  [
    `Retry ${run}`,
    { ...order, leadId: null, organizationId: null, kind: 'RETRY_LEADS', payload: { retryId: run, requestId } },
    bulkRetryWorkflowId(run),
    { priorityKey: 5, fairnessKey: 'retry' },
  ],
];

test.for(RUNS)('%s: its run says so, and has its place in the queue', async ([summary, ordered, workflowId, place]) => {
  await carry(ordered);
  const handle = client.workflow.getHandle(workflowId);
  const { runId, priority, ...described } = await handle.describe();
  expect(await described.staticSummary()).toBe(summary);
  expect(priority).toMatchObject(place);
  await carry(ordered);
  expect((await handle.describe()).runId).toBe(runId);
  await handle.terminate();
});
