import type { WorkflowHandle } from '@temporalio/client';
import { describe, expect, onTestFinished } from 'vitest';
import { ASSIGNEE_NOTIFICATION, LEAD_ONBOARDING, TASK_QUEUES } from '../../workflows/contract.ts';
import { LEAD_ENRICHMENT } from '../../workflows/enrichment-contract.ts';
import { RESCORE } from '../../workflows/rescore-contract.ts';
import { RETENTION } from '../../workflows/retention-contract.ts';
import { BULK_RETRY } from '../../workflows/retry-contract.ts';
import { WEBHOOK_DELIVERY } from '../../workflows/webhook-contract.ts';
import type { TestDatabase } from '../support/database.ts';
import { recordLog } from '../support/log.ts';
import { test } from '../support/onboarding.ts';
import { createTestClient } from '../support/temporal.ts';
import { type ActivityOverrides, startWorkers } from '../support/workers.ts';

const client = createTestClient();
const { log } = recordLog();

const never = () => Promise.reject(new Error('not in this test'));
const ACTIVITIES: ActivityOverrides = {
  notifyAssignee: () => Promise.resolve({ outcome: 'created' }),
  notifyReassigned: () => Promise.resolve({ outcome: 'created' }),
  enrichLead: () => Promise.resolve({ outcome: 'completed' }),
  // Still running: so that the outcome is recorded in a step of its own.
  scoreLead: () => Promise.resolve({ score: 50, band: 'WARM', state: 'RUNNING' }),
  closeOnboarding: () => Promise.resolve({ state: 'COMPLETED' }),
  enrichAgain: () => Promise.resolve({ outcome: 'completed' }),
  scoreAfterEnrichment: () => Promise.resolve({ score: 50, band: 'WARM' }),
  rescoreAfterEnrichment: never,
  rescorePage: () => Promise.resolve({ pages: 1, next: 'end' }),
  findExpiredLeads: () => Promise.resolve({ leadIds: ['lead-1'] }),
  eraseExpiredLeads: () => Promise.resolve({ erased: 1 }),
  retryPage: () => Promise.resolve({ next: 'end', afterMs: 0 }),
};

interface Duration {
  seconds?: unknown;
}

const secondsOf = (duration: Duration | null | undefined) => Number(duration?.seconds ?? 0);

/** The steps that a run has ordered, as its history says: queue, seconds, place, input, summary. */
async function stepsOf(handle: WorkflowHandle) {
  const { events } = await handle.fetchHistory();
  return (events ?? []).flatMap(({ activityTaskScheduledEventAttributes: step, userMetadata }) => {
    if (!step) return [];
    const { retryPolicy: retry, priority } = step;
    return {
      name: step.activityType?.name,
      queue: step.taskQueue?.name,
      seconds: {
        attempt: secondsOf(step.startToCloseTimeout),
        heartbeat: secondsOf(step.heartbeatTimeout),
        inQueue: secondsOf(step.scheduleToStartTimeout),
        inAll: secondsOf(step.scheduleToCloseTimeout),
      },
      again: {
        after: secondsOf(retry?.initialInterval),
        times: retry?.backoffCoefficient,
        atMost: secondsOf(retry?.maximumInterval),
        attempts: retry?.maximumAttempts,
      },
      place: priority ? [priority.priorityKey, priority.fairnessKey] : [],
      input: step.input?.payloads?.map(({ data }) => JSON.parse(Buffer.from(data ?? []).toString()) as unknown)[0],
      summary: userMetadata?.summary?.data
        ? (JSON.parse(Buffer.from(userMetadata.summary.data).toString()) as string)
        : '',
    };
  });
}

/** Tried again after 1 s, then twice as long each time and at most a minute, without an end that Temporal knows of. */
const AGAIN = { after: 1, times: 2, atMost: 60, attempts: 0 };
/** No step has a bound that counts its time in the queue. */
const bounds = (attempt: number, heartbeat = 0) => ({ attempt, heartbeat, inQueue: 0, inAll: 0 });
const ORDINARY = { again: AGAIN, seconds: bounds(10) };

const LEAD = { leadId: 'lead-1', organizationId: 'org-1', requestId: 'request-1' };
const ONBOARDING = { ...LEAD, round: 1, enrichmentDelayMs: 1, searchAttributes: false, priority: 'HIGH' };

const onboardingSteps = (place: [number, string], placeOfScore: [number, string]) => [
  { name: 'notifyAssignee', queue: 'notification', ...ORDINARY, place, summary: 'Notify the assignee of lead lead-1' },
  { name: 'enrichLead', queue: 'lead', again: AGAIN, seconds: bounds(30, 10), place, summary: 'Enrich lead lead-1' },
  { name: 'scoreLead', queue: 'lead', ...ORDINARY, place: placeOfScore, summary: 'Score lead lead-1' },
  {
    name: 'closeOnboarding',
    queue: 'lead',
    ...ORDINARY,
    place: placeOfScore,
    summary: 'Record the outcome of lead lead-1',
  },
];
const RETAIN = { queue: 'lead', again: AGAIN, seconds: bounds(120, 15), place: [5, 'retention'], summary: '' };

describe('each step is ordered with its queue, its bounds, its retries, its place and a summary', () => {
  test.for([
    ['of an onboarding', LEAD_ONBOARDING, ONBOARDING, onboardingSteps([2, 'org-1'], [2, 'score:org-1'])],
    [
      'of one of many that are retried',
      LEAD_ONBOARDING,
      { ...ONBOARDING, inBulk: true },
      onboardingSteps([5, 'org-1'], [5, 'score:org-1']),
    ],
    [
      'of telling a later assignee',
      ASSIGNEE_NOTIFICATION,
      { ...LEAD, assignment: 2, priority: 'LOW' },
      [
        {
          name: 'notifyReassigned',
          queue: 'notification',
          ...ORDINARY,
          place: [4, 'org-1'],
          summary: 'Notify assignee 2 of lead lead-1',
        },
      ],
    ],
    [
      'of a later enrichment',
      LEAD_ENRICHMENT,
      { ...LEAD, run: 'run-1', fresh: true, priority: 'CRITICAL' },
      [
        {
          name: 'enrichAgain',
          queue: 'lead',
          again: AGAIN,
          seconds: bounds(30, 10),
          place: [1, 'org-1'],
          summary: 'Enrich lead lead-1 again',
        },
        {
          name: 'scoreAfterEnrichment',
          queue: 'lead',
          ...ORDINARY,
          place: [1, 'score:org-1'],
          summary: 'Score lead lead-1 again',
        },
      ],
    ],
    [
      'of a rescore',
      RESCORE,
      { rescoreId: 'rescore-1', organizationId: 'org-1', requestId: 'request-1', pages: 0 },
      [
        {
          name: 'rescorePage',
          queue: 'lead',
          ...ORDINARY,
          place: [5, 'org-1'],
          summary: 'Score a page of rescore rescore-1',
        },
      ],
    ],
    [
      'of the retention',
      RETENTION,
      { retentionDays: 1, pageSize: 1, pagesPerRun: 1 },
      [
        { name: 'findExpiredLeads', ...RETAIN },
        { name: 'eraseExpiredLeads', ...RETAIN },
      ],
    ],
    [
      'of a retry in bulk',
      BULK_RETRY,
      { retryId: 'retry-1', requestId: 'request-1' },
      [
        {
          name: 'retryPage',
          queue: 'lead',
          again: AGAIN,
          seconds: bounds(15),
          place: [5, 'retry'],
          summary: 'Retry a page of leads of retry-1',
        },
      ],
    ],
    [
      'of deliveries to a webhook endpoint, which nobody carries out here',
      WEBHOOK_DELIVERY,
      { endpointId: 'endpoint-1' },
      [
        {
          name: 'deliverEvents',
          queue: 'webhook',
          again: AGAIN,
          seconds: bounds(1_200, 20),
          place: [],
          summary: 'Deliver to webhook endpoint endpoint-1',
        },
      ],
    ],
  ] as const)('%s', async ([, workflow, input, steps], { database }) => {
    const { onboarding, notification, lead } = TASK_QUEUES;
    const workers = await startWorkers(database, log, ACTIVITIES, [onboarding, notification, lead]);
    onTestFinished(workers.stop);
    const handle = await client.workflow.start(workflow, {
      taskQueue: onboarding,
      workflowId: `steps-${crypto.randomUUID()}`,
      args: [input],
    });
    onTestFinished(() => void handle.terminate().catch(() => undefined));
    await expect.poll(() => stepsOf(handle)).toMatchObject(steps);
  });
});

describe('an onboarding', () => {
  const start = async (database: TestDatabase, activities: ActivityOverrides) => {
    const workers = await startWorkers(database, log, { ...ACTIVITIES, ...activities });
    onTestFinished(workers.stop);
    const workflowId = `steps-${crypto.randomUUID()}`;
    const options = { taskQueue: TASK_QUEUES.onboarding, workflowId, args: [ONBOARDING] };
    const handle = await client.workflow.start(LEAD_ONBOARDING, options);
    onTestFinished(() => void handle.terminate().catch(() => undefined));
    return handle;
  };

  test('tells the score and its end what became of the steps before', async ({ database }) => {
    const handle = await start(database, {});
    await handle.result();
    const [, , score, end] = await stepsOf(handle);
    const { requestId, leadId, organizationId, round } = ONBOARDING;
    const ref = { requestId, leadId, organizationId, round };
    expect(score?.input).toMatchObject({ ...ref, enrichment: { outcome: 'completed' } });
    expect(end?.input).toEqual({ ...ref, verdict: 'settled', notification: { outcome: 'created' } });
  });

  test('with a fault in its code waits until that is mended, and is not closed', async ({ database }) => {
    let closed = 0;
    const handle = await start(database, {
      scoreLead: () => Promise.resolve(null as never), // which the code reads a score from
      closeOnboarding: () => Promise.resolve({ state: 'FAILED' as const, closed: (closed += 1) }),
    });
    const failures = async () =>
      (await handle.fetchHistory()).events?.flatMap(
        ({ workflowTaskFailedEventAttributes: failed }) => failed?.failure?.message ?? [],
      );
    await expect.poll(async () => (await failures())?.[0]).toContain('null');
    expect((await handle.describe()).status.name).toBe('RUNNING');
    expect(closed).toBe(0);
  });
});
