import { type NativeConnection, Worker, type WorkerOptions } from '@temporalio/worker';
import type { TaskQueue } from '../../workflows/contract.ts';
import type { Logger } from '../telemetry/logger.ts';
import { activityInterceptor } from './activity-interceptor.ts';
import { DEPLOYMENT_NAME } from './deployment.ts';
import type { FailurePolicy } from './failure-limit.ts';
import type { StepEnd } from './step-metrics.ts';
import { WORKER_IDENTITY } from './identity.ts';
import { isWorkflowQueue } from './task-queue-type.ts';
import { traceInterceptor } from './trace-interceptor.ts';

export interface WorkerDependencies {
  connection: NativeConnection;
  namespace: string;
  log: Logger;
  /** Milliseconds for running work to end after `shutdown()`. */
  graceMs: number;
  /** Version of the workflow code; without one its workers are unversioned, as those of activities always are. */
  buildId?: string | undefined;
  /** Gets each attempt of an activity that is over. */
  onStepEnd?: ((end: StepEnd) => void) | undefined;
}

/** What a queue runs. */
export interface Workload extends Pick<
  WorkerOptions,
  | 'activities'
  | 'workflowBundle'
  | 'sinks'
  | 'maxConcurrentWorkflowTaskExecutions'
  | 'maxConcurrentActivityTaskExecutions'
  | 'workflowTaskPollerBehavior'
  | 'activityTaskPollerBehavior'
  | 'maxActivitiesPerSecond'
  | 'maxTaskQueueActivitiesPerSecond'
> {
  /** When its activities give up; without one they never do. */
  failurePolicy?: FailurePolicy;
}

const NO_LIMITS: FailurePolicy = { limits: {}, isExcused: () => false };

/** A worker for one task queue, not yet running. */
export function createWorker(deps: WorkerDependencies, taskQueue: TaskQueue, workload: Workload): Promise<Worker> {
  const { failurePolicy = NO_LIMITS, ...runs } = workload;
  return Worker.create({
    connection: deps.connection,
    namespace: deps.namespace,
    identity: WORKER_IDENTITY,
    taskQueue,
    ...runs,
    interceptors: { activity: [traceInterceptor, activityInterceptor(deps.log, failurePolicy, deps.onStepEnd)] },
    shutdownGraceTime: deps.graceMs,
    ...(deps.buildId !== undefined &&
      isWorkflowQueue(taskQueue) && { workerDeploymentOptions: versionOf(deps.buildId) }),
    stickyQueueScheduleToStartTimeout: '5s', // runs of a crashed worker go on after this, not after the default 10 s
  });
}

/** A run ends with the version that began it, unless its workflow says otherwise: `AUTO_UPGRADE` is for what runs long. */
const versionOf = (buildId: string) => ({
  version: { deploymentName: DEPLOYMENT_NAME, buildId },
  useWorkerVersioning: true as const,
  defaultVersioningBehavior: 'PINNED' as const,
});

/** Says whether a worker has a call out that asks its queue for work. That it is answered, it does not say. */
export function isPolling(worker: Worker): boolean {
  const { runState, workflowPollerState, activityPollerState } = worker.getStatus();
  const polls = isWorkflowQueue(worker.options.taskQueue) ? workflowPollerState : activityPollerState;
  return runState === 'RUNNING' && polls === 'POLLING';
}
