import { OpenAPIHono } from '@hono/zod-openapi';
import { requestId } from 'hono/request-id';
import { v7 as uuidv7 } from 'uuid';
import type { AppDependencies, HttpEnv } from './context.ts';
import { answerInTime } from './deadline.ts';
import { answerErrors } from './errors.ts';
import { refuseUnknown } from './not-found.ts';
import { protect } from './protection.ts';
import { readFormBody, readJsonBody } from './request-body.ts';
import { logRequests } from './request-log.ts';
import { documentationRoutes } from './routes/documentation.ts';
import { enrichmentRoutes } from './routes/enrichment.ts';
import { formRoutes } from './routes/forms.ts';
import { healthRoutes } from './routes/health.ts';
import { keyRoutes } from './routes/keys.ts';
import { leadRoutes } from './routes/leads.ts';
import { leadIntakeRoutes } from './routes/lead-intake.ts';
import { notificationRoutes } from './routes/notifications.ts';
import { notificationStreamRoutes } from './routes/notification-stream.ts';
import { onboardingRoutes } from './routes/onboarding.ts';
import { timelineRoutes } from './routes/timeline.ts';
import { answerInvalid } from './validation.ts';

/** Request ids that callers bring: long enough for a trace id, and nothing that could be a name or an address. */
const MAX_REQUEST_ID = 64;

/** The HTTP API. Does no I/O of its own: everything that it touches comes with `deps`. */
export function createApp(deps: AppDependencies): OpenAPIHono<HttpEnv> {
  const app = new OpenAPIHono<HttpEnv>({ defaultHook: answerInvalid });
  app.use(requestId({ limitLength: MAX_REQUEST_ID, generator: () => uuidv7() }));
  app.use(logRequests(deps.log));
  protect(app, deps);
  app.use('/api/*', readJsonBody);
  app.use('/forms/*', readFormBody);
  app.use(answerInTime); // after the body: how long a caller takes to send it is not our doing
  app.onError(answerErrors(deps.log));

  leadIntakeRoutes(app, deps);
  leadRoutes(app, deps);
  timelineRoutes(app);
  onboardingRoutes(app, deps);
  enrichmentRoutes(app, deps);
  notificationRoutes(app);
  notificationStreamRoutes(app, deps);
  keyRoutes(app, deps);
  formRoutes(app, deps);
  healthRoutes(app, deps);
  documentationRoutes(app);
  app.notFound(refuseUnknown(app));
  return app;
}
