import { ApplicationFailure, CancelledFailure, CompleteAsyncError, type Context } from '@temporalio/activity';
import type { ActivityInboundCallsInterceptor } from '@temporalio/worker';
import { describeError, type Logger } from '../telemetry/logger.ts';
import { countFailure, type FailurePolicy } from './failure-limit.ts';
import { WORKER_IDENTITY } from './identity.ts';
import type { StepEnd } from './step-metrics.ts';

interface Ids {
  leadId?: string;
  organizationId?: string;
  requestId?: string;
}

interface EndedWith {
  result?: unknown;
  failure?: { name: string; type?: string | null | undefined; message: string };
}

/**
 * Logs each step with its attempt and duration, and keeps messages of foreign errors, which may quote what a person
 * typed, out of Temporal: only the kind and code of such an error goes into the history. A step that fails beyond its
 * limit is not retried.
 * @param onEnd gets each attempt that is over
 */
export function activityInterceptor(log: Logger, policy: FailurePolicy, onEnd?: (end: StepEnd) => void) {
  return (context: Context): { inbound: ActivityInboundCallsInterceptor } => ({
    inbound: {
      async execute(input, next) {
        const { activityType, activityId, attempt, workflowExecution, taskQueue, currentAttemptScheduledTimestampMs } =
          context.info;
        const { leadId, organizationId, requestId } = (input.args[0] ?? {}) as Ids;
        const workflowId = workflowExecution?.workflowId;
        const step = log.child({
          leadId,
          organizationId,
          requestId,
          workflowId,
          step: activityType,
          taskQueue,
          attempt,
        });
        step.info('step started');
        const startedAt = new Date();
        const begin = performance.now();
        const durationMs = () => Math.round(performance.now() - begin);
        const end = (outcome: StepEnd['outcome'], { result, failure }: EndedWith) => {
          onEnd?.({
            step: activityType,
            outcome,
            attempt,
            taskQueue,
            worker: WORKER_IDENTITY,
            runId: workflowExecution?.runId ?? '',
            activityId,
            scheduledAt: new Date(currentAttemptScheduledTimestampMs),
            startedAt,
            seconds: (performance.now() - begin) / 1_000,
            input: input.args[0],
            result,
            failure: failure && { type: failure.type ?? failure.name, message: failure.message },
          });
        };
        try {
          const result = await next(input);
          step.info({ durationMs: durationMs() }, 'step completed');
          end('completed', { result });
          return result;
        } catch (err) {
          if (err instanceof CompleteAsyncError) throw err;
          step.warn({ durationMs: durationMs(), err }, 'step failed');
          if (err instanceof CancelledFailure) {
            end('canceled', { failure: err });
            throw err;
          }
          const known = err instanceof ApplicationFailure ? err : withoutMessage(err);
          const failure = countFailure(context, policy, known, err);
          end(failure.nonRetryable ? 'gave_up' : 'failed', { failure });
          throw failure;
        }
      },
    },
  });
}

function withoutMessage(err: unknown): ApplicationFailure {
  const { type, code } = describeError(err);
  const kind = code === undefined ? type : `${type} ${code}`;
  return ApplicationFailure.create({ message: `${kind}; the worker's log has where`, type });
}
