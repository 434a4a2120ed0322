import { DefaultLogger, type LogLevel, makeTelemetryFilterString, Runtime } from '@temporalio/worker';
import type { Logger } from '../telemetry/logger.ts';

const LEVELS: Record<LogLevel, 'trace' | 'debug' | 'info' | 'warn' | 'error'> = {
  TRACE: 'trace',
  DEBUG: 'debug',
  INFO: 'info',
  WARN: 'warn',
  ERROR: 'error',
};

/** How often a worker tells Temporal how many of its slots are in use. By default once a minute. */
const WORKER_HEARTBEAT_MS = 5_000;

/** The SDK's own buckets jump from 100 to 500 ms: a p99 of 200 ms could not be told from one of 400. */
const SCHEDULE_TO_START_S = [0.01, 0.025, 0.05, 0.1, 0.15, 0.2, 0.3, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1_800];

/** What the SDK warns of and we mean: a queue is either for workflows or for activities. */
const INTENDED = /^No (workflows|activities) registered/;

/**
 * Sets Temporal's native runtime up, once in a process and before any worker: its logs go into ours, its metrics to
 * `metricsAddress` (`host:port`), and signals are left to us, since the runtime drops its handlers after the first.
 */
export function installRuntime(log: Logger, metricsAddress: string | undefined): void {
  Runtime.install({
    shutdownSignals: [],
    workerHeartbeatInterval: WORKER_HEARTBEAT_MS,
    logger: new DefaultLogger('WARN', ({ level, message, meta }) => {
      const { activityId, activityType, attempt, workflowId, runId, taskQueue } = meta ?? {};
      log[INTENDED.test(message) ? 'debug' : LEVELS[level]](
        { activityId, activityType, attempt, workflowId, runId, taskQueue },
        message,
      );
    }),
    telemetryOptions: {
      logging: { filter: makeTelemetryFilterString({ core: 'WARN', other: 'ERROR' }), forward: {} },
      ...(metricsAddress !== undefined && {
        metrics: {
          prometheus: {
            bindAddress: metricsAddress,
            useSecondsForDurations: true,
            unitSuffix: true,
            countersTotalSuffix: true,
            histogramBucketOverrides: {
              workflow_task_schedule_to_start_latency: SCHEDULE_TO_START_S,
              activity_schedule_to_start_latency: SCHEDULE_TO_START_S,
            },
          },
        },
      }),
    },
  });
}
