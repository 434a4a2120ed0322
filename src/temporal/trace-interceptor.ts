import type { Context } from '@temporalio/activity';
import type { ActivityInboundCallsInterceptor } from '@temporalio/worker';
import { SpanKind, withSpan } from '../telemetry/tracing.ts';

interface Ids {
  leadId?: string;
  requestId?: string;
}

/** Makes a span of each attempt of an activity, of the trace of the request that it goes back to. Workflow code knows nothing of it. */
export const traceInterceptor = ({ info }: Context): { inbound: ActivityInboundCallsInterceptor } => ({
  inbound: {
    execute(input, next) {
      const { leadId, requestId } = (input.args[0] ?? {}) as Ids;
      const { activityType, activityId, attempt, workflowExecution, taskQueue } = info;
      const attributes = {
        ...(leadId !== undefined && { 'lead.id': leadId }),
        ...(workflowExecution && {
          'temporal.workflow.id': workflowExecution.workflowId,
          'temporal.run.id': workflowExecution.runId,
        }),
        'temporal.activity.id': activityId,
        'temporal.activity.attempt': attempt,
        'temporal.task_queue': taskQueue,
      };
      return withSpan(activityType, { kind: SpanKind.CONSUMER, attributes, requestId }, () => next(input));
    },
  },
});
