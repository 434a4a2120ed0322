import { defaultPayloadConverter } from '@temporalio/common';
import { Worker, type WorkflowBundleOption } from '@temporalio/worker';
import { globalHandlers } from '@temporalio/worker/lib/workflow/vm-shared.js';
import { LEAD_ONBOARDING, type OnboardingInput, onboardingWorkflowId, TASK_QUEUES } from '../../workflows/contract.ts';

const NOBODY = '00000000-0000-0000-0000-000000000000';

/**
 * Replays the first step of an onboarding of nobody, here, without the server. It compiles what the first real run
 * would wait for: about a quarter of a second.
 */
export async function warmUpWorkflows(workflowBundle: WorkflowBundleOption): Promise<void> {
  const input: OnboardingInput = {
    leadId: NOBODY,
    organizationId: 'nobody',
    round: 1,
    requestId: 'warm-up',
    enrichmentDelayMs: 1,
    priority: 'NORMAL',
    searchAttributes: true,
  };
  const workflowType = { name: LEAD_ONBOARDING };
  const taskQueue = { name: TASK_QUEUES.onboarding };
  const history = [
    {
      workflowExecutionStartedEventAttributes: {
        workflowId: onboardingWorkflowId(NOBODY),
        workflowType,
        taskQueue,
        input: { payloads: [toJson(input)] },
        originalExecutionRunId: NOBODY,
        firstExecutionRunId: NOBODY,
        workflowTaskTimeout: '10s',
        attempt: 1,
      },
    },
    { workflowTaskScheduledEventAttributes: { taskQueue } },
    { workflowTaskStartedEventAttributes: { scheduledEventId: '2' } },
  ];
  const types = ['WORKFLOW_EXECUTION_STARTED', 'WORKFLOW_TASK_SCHEDULED', 'WORKFLOW_TASK_STARTED'];
  const events = history.map((attributes, index) => ({
    eventId: String(index + 1),
    eventTime: '2026-01-01T00:00:00Z',
    eventType: `EVENT_TYPE_${types[index] ?? ''}`,
    ...attributes,
  }));
  try {
    await Worker.runReplayHistory({ workflowBundle }, { events }, onboardingWorkflowId(NOBODY));
  } finally {
    // The SDK replays in this thread, and then records the stack of each promise of the process, for good: each `await`
    // would take some 8 µs instead of 0.1. Workflows run in threads of their own, which are left as they are.
    globalHandlers.uninstall();
  }
}

/** A payload as it stands in a history's JSON form. */
function toJson(value: unknown) {
  const { metadata, data } = defaultPayloadConverter.toPayload(value);
  const base64 = (bytes: Uint8Array | null | undefined) => Buffer.from(bytes ?? []).toString('base64');
  return { metadata: { encoding: base64(metadata?.['encoding']) }, data: base64(data) };
}
