import { OpenAPIHono } from '@hono/zod-openapi';
import { requestId } from 'hono/request-id';
import { uuidv7 } from 'uuidv7';
import type { AppDependencies, HttpEnv } from './context.ts';
import { answerInTime } from './answers/deadline.ts';
import { answerErrors } from './answers/errors.ts';
import { refuseOtherMethods, refuseUnknown } from './answers/not-found.ts';
import { protect } from './guards/guards.ts';
import { readApiBody, readFormBody } from './request/body.ts';
import { requestIdOf } from '../telemetry/tracing.ts';
import { logRequests } from './server/request-log.ts';
import { measureRequests } from './server/request-metrics.ts';
import { traceRequests } from './server/request-trace.ts';
import { documentationRoutes } from './openapi/documentation.ts';
import { formRoutes } from './routes/forms.ts';
import { auditRoutes } from './routes/audit.ts';
import { eventStreamRoutes } from './routes/event-stream.ts';
import { eventRoutes } from './routes/events.ts';
import { enrichmentRoutes } from './routes/enrichment.ts';
import { healthRoutes } from './routes/health.ts';
import { keyRoutes } from './routes/keys.ts';
import { leadRoutes } from './routes/leads.ts';
import { leadArchiveRoutes } from './routes/lead-archive.ts';
import { leadBatchRoutes } from './routes/lead-batch.ts';
import { leadIntakeRoutes } from './routes/lead-intake.ts';
import { meRoutes } from './routes/me.ts';
import { notificationRoutes } from './routes/notifications.ts';
import { notificationStreamRoutes } from './routes/notification-stream.ts';
import { activityRoutes } from './routes/ops-activity.ts';
import { operatorActionRoutes } from './routes/ops-audit.ts';
import { consistencyRoutes } from './routes/ops-consistency.ts';
import { failureRoutes } from './routes/ops-failures.ts';
import { operatorLeadRoutes } from './routes/ops-leads.ts';
import { queueRoutes } from './routes/ops-queues.ts';
import { bulkRetryRoutes } from './routes/ops-retries.ts';
import { onboardingRoutes } from './routes/onboarding.ts';
import { personalDataRoutes } from './routes/personal-data.ts';
import { rescoreRoutes } from './routes/rescores.ts';
import { streamTokenRoutes } from './routes/stream-tokens.ts';
import { scoreRuleRoutes } from './routes/score-rules.ts';
import { scoreRoutes } from './routes/scores.ts';
import { timelineRoutes } from './routes/timeline.ts';
import { webhookDeliveryRoutes } from './routes/webhook-deliveries.ts';
import { webhookRoutes } from './routes/webhooks.ts';
import { answerInvalid } from './request/validation.ts';

/** Request ids that callers bring: long enough for a trace id, and nothing that could be a name or an address. */
const MAX_REQUEST_ID = 64;

/** The HTTP API. Does no I/O of its own: everything that it touches comes with `deps`. */
export function createApp(deps: AppDependencies): OpenAPIHono<HttpEnv> {
  const app = new OpenAPIHono<HttpEnv>({ defaultHook: answerInvalid });
  app.use(
    requestId({ limitLength: MAX_REQUEST_ID, generator: (c) => requestIdOf(c.req.header('traceparent')) ?? uuidv7() }),
  );
  app.use(traceRequests);
  app.use(logRequests(deps.log));
  if (deps.metrics) app.use(measureRequests(deps.metrics));
  protect(app, deps);
  for (const path of ['/api/*', '/ops/*']) app.use(path, readApiBody);
  app.use('/forms/*', readFormBody);
  app.use(answerInTime(deps)); // after the body: how long a caller takes to send it is not our doing
  app.onError(answerErrors(deps.log));
  app.use(refuseOtherMethods(app));

  leadIntakeRoutes(app, deps);
  leadBatchRoutes(app, deps);
  leadRoutes(app, deps);
  leadArchiveRoutes(app, deps);
  personalDataRoutes(app, deps);
  timelineRoutes(app);
  scoreRoutes(app, deps);
  scoreRuleRoutes(app, deps);
  rescoreRoutes(app, deps);
  onboardingRoutes(app, deps);
  enrichmentRoutes(app, deps);
  notificationRoutes(app, deps);
  notificationStreamRoutes(app, deps);
  streamTokenRoutes(app, deps);
  keyRoutes(app, deps);
  meRoutes(app, deps);
  eventRoutes(app);
  eventStreamRoutes(app, deps);
  webhookRoutes(app, deps);
  webhookDeliveryRoutes(app, deps);
  auditRoutes(app);
  activityRoutes(app, deps);
  queueRoutes(app, deps);
  operatorLeadRoutes(app, deps);
  failureRoutes(app, deps);
  consistencyRoutes(app, deps);
  bulkRetryRoutes(app, deps);
  operatorActionRoutes(app, deps);
  formRoutes(app, deps);
  healthRoutes(app, deps);
  documentationRoutes(app);
  app.notFound(refuseUnknown(app));
  return app;
}
