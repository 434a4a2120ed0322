import { type NativeConnection, Worker, type WorkerOptions } from '@temporalio/worker';
import type { TaskQueue } from '../../workflows/contract.ts';
import type { Logger } from '../telemetry/logger.ts';
import { activityInterceptor } from './activity-interceptor.ts';
import type { FailurePolicy } from './failure-limit.ts';
import type { StepEnd } from './step-metrics.ts';
import { isWorkflowQueue } from './task-queue-type.ts';

export interface WorkerDependencies {
  connection: NativeConnection;
  namespace: string;
  log: Logger;
  /** Milliseconds for running work to end after `shutdown()`. */
  graceMs: number;
  /** Gets each attempt of an activity that is over. */
  onStepEnd?: ((end: StepEnd) => void) | undefined;
}

/** What a queue runs. */
export interface Workload extends Pick<
  WorkerOptions,
  'activities' | 'workflowBundle' | 'maxConcurrentActivityTaskExecutions' | 'sinks'
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
    taskQueue,
    ...runs,
    interceptors: { activity: [activityInterceptor(deps.log, failurePolicy, deps.onStepEnd)] },
    shutdownGraceTime: deps.graceMs,
    stickyQueueScheduleToStartTimeout: '5s', // runs of a crashed worker go on after this, not after the default 10 s
  });
}

/** Says whether a worker has a call out that asks its queue for work. That it is answered, it does not say. */
export function isPolling(worker: Worker): boolean {
  const { runState, workflowPollerState, activityPollerState } = worker.getStatus();
  const polls = isWorkflowQueue(worker.options.taskQueue) ? workflowPollerState : activityPollerState;
  return runState === 'RUNNING' && polls === 'POLLING';
}
