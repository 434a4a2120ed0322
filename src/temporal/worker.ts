import { type NativeConnection, Worker, type WorkerOptions } from '@temporalio/worker';
import { TASK_QUEUES, type TaskQueue } from '../../workflows/contract.ts';
import type { Logger } from '../logger.ts';
import { activityInterceptor } from './activity-interceptor.ts';

export interface WorkerDependencies {
  connection: NativeConnection;
  namespace: string;
  log: Logger;
  /** Milliseconds for running work to end after `shutdown()`. */
  graceMs: number;
  /** What each queue runs; only those of the queues that this process polls are called. */
  workloads: Record<TaskQueue, () => Promise<WorkerOptionsOfQueue> | WorkerOptionsOfQueue>;
}

export type WorkerOptionsOfQueue = Pick<
  WorkerOptions,
  'activities' | 'workflowBundle' | 'maxConcurrentActivityTaskExecutions' | 'sinks'
>;

/** Milliseconds after the grace period when a worker that does not end is forced to. */
const FORCE_AFTER_GRACE_MS = 10_000;

/** A worker for one task queue, not yet running. */
export async function createWorker(deps: WorkerDependencies, taskQueue: TaskQueue): Promise<Worker> {
  const workload = await deps.workloads[taskQueue]();
  return Worker.create({
    connection: deps.connection,
    namespace: deps.namespace,
    taskQueue,
    ...workload,
    interceptors: { activity: [activityInterceptor(deps.log)] },
    shutdownGraceTime: deps.graceMs,
    shutdownForceTime: deps.graceMs + FORCE_AFTER_GRACE_MS,
    stickyQueueScheduleToStartTimeout: '5s', // runs of a crashed worker go on after this, not after the default 10 s
  });
}

/** Says whether a worker asks its queue for work: what readiness means for it. */
export function isPolling(worker: Worker): boolean {
  const { runState, workflowPollerState, activityPollerState } = worker.getStatus();
  const polls = worker.options.taskQueue === TASK_QUEUES.onboarding ? workflowPollerState : activityPollerState;
  return runState === 'RUNNING' && polls === 'POLLING';
}
