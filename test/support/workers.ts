import { NativeConnection, type Worker } from '@temporalio/worker';
import { inject } from 'vitest';
import { failurePolicy } from '../../activities/failure-policy.ts';
import { createLeadActivities } from '../../activities/lead.ts';
import { createNotificationActivities } from '../../activities/notification.ts';
import { createWebhookActivities } from '../../activities/webhook.ts';
import { createSafePost } from '../../src/safe-fetch/safe-post.ts';
import { createInboxAnnouncer } from '../../src/notifications/announce.ts';
import { capacityOf } from '../../src/process/capacity.ts';
import { readEnvironment } from '../../src/process/environment.ts';
import { builtInProviders } from '../../src/enrichment/built-in.ts';
import type { Logger } from '../../src/telemetry/logger.ts';
import type { FailurePolicy } from '../../src/temporal/failure-limit.ts';
import type { StepEnd } from '../../src/temporal/step-metrics.ts';
import { createWorker, type Workload } from '../../src/temporal/worker.ts';
import type { LeadActivities, NotificationActivities } from '../../workflows/activities.ts';
import { TASK_QUEUES, type TaskQueue } from '../../workflows/contract.ts';
import type { TestDatabase } from './database.ts';
import { rememberWorkers } from './running-workers.ts';
import { testNamespace } from './temporal.ts';
import { workflowCoverage } from './workflow-coverage.ts';

export type ActivityOverrides = Partial<LeadActivities & NotificationActivities>;

/** Runs the real workers of task queues, of all unless told otherwise, in this process until `stop`; `overrides` take the place of activities, `settings` are those of a worker process. */
export async function startWorkers(
  database: TestDatabase,
  log: Logger,
  overrides: ActivityOverrides = {},
  taskQueues: readonly TaskQueue[] = Object.values(TASK_QUEUES),
  policy: FailurePolicy = failurePolicy,
  {
    settings = {},
    namespace = testNamespace(),
    onStepEnd,
  }: {
    settings?: NodeJS.ProcessEnv;
    namespace?: string;
    onStepEnd?: ((end: StepEnd) => void) | undefined;
  } = {},
) {
  const connection = await NativeConnection.connect({ address: inject('temporalAddress') });
  const pick = <Activities extends object>(real: Activities): Activities =>
    Object.fromEntries(
      Object.entries(real).map(([name, run]) => [name, overrides[name as keyof ActivityOverrides] ?? run]),
    ) as Activities;
  const { sinks } = workflowCoverage;
  const deps = { connection, namespace, log, graceMs: 1_000, onStepEnd };
  const announcer = createInboxAnnouncer(database.pool);
  const stopping = new AbortController();
  const poster = createSafePost({ allowed: () => true });
  const posters = { poster, operatorPoster: poster };
  const workloads: Record<TaskQueue, Workload> = {
    [TASK_QUEUES.onboarding]: { workflowBundle: { codePath: inject('workflowBundle') }, sinks },
    [TASK_QUEUES.notification]: {
      activities: pick(createNotificationActivities({ ...database, announcer })),
      failurePolicy: policy,
    },
    [TASK_QUEUES.lead]: {
      activities: pick(createLeadActivities({ ...database, providers: builtInProviders })),
      failurePolicy: policy,
    },
    [TASK_QUEUES.webhook]: {
      activities: createWebhookActivities({ ...database, ...posters, log, stopping: stopping.signal }),
    },
  };
  const capacity = capacityOf(readEnvironment(settings));
  const workers = new Map<TaskQueue, Worker>();
  for (const taskQueue of taskQueues) {
    workers.set(taskQueue, await createWorker(deps, taskQueue, { ...workloads[taskQueue], ...capacity[taskQueue] }));
  }
  const running = [...workers.values()].map((worker) => worker.run());
  return {
    stop: rememberWorkers(async () => {
      stopping.abort();
      for (const worker of workers.values()) if (worker.getState() === 'RUNNING') worker.shutdown();
      await Promise.all(running);
      await Promise.all([announcer.idle(), poster.close()]);
      await connection.close();
    }),
  };
}
