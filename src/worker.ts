import { parseArgs } from 'node:util';
import { failurePolicy } from '../activities/failure-policy.ts';
import { createLeadActivities } from '../activities/lead.ts';
import { createNotificationActivities } from '../activities/notification.ts';
import { createWebhookActivities } from '../activities/webhook.ts';
import { TASK_QUEUES, type TaskQueue } from '../workflows/contract.ts';
import { openDatabase } from './db/open.ts';
import { measurePools } from './db/pool-metrics.ts';
import { untilSchemaFits } from './db/schema.ts';
import { measureLookups } from './enrichment/lookup-metrics.ts';
import { openEnrichment } from './enrichment/open.ts';
import { capacityOf } from './process/capacity.ts';
import { serveHealth } from './process/health-server.ts';
import { loopbackPort } from './process/loopback-port.ts';
import { type Measures, observeSteps } from './process/observe-steps.ts';
import { openTracing } from './process/open-tracing.ts';
import { openMetrics } from './process/open-metrics.ts';
import { createInboxAnnouncer } from './notifications/announce.ts';
import { warmUp } from './onboarding/warm-up.ts';
import { type ProcessContext, runProcess } from './process/run-process.ts';
import { allowHosts } from './safe-fetch/allowed-hosts.ts';
import { createNameResolver } from './safe-fetch/name-resolver.ts';
import { createSafePost } from './safe-fetch/safe-post.ts';
import { loadTemporalSettings } from './temporal/connection.ts';
import { startPolling } from './temporal/polling.ts';
import { installRuntime } from './temporal/runtime.ts';
import { warmUpWorkflows } from './temporal/warm-up.ts';
import type { Workload } from './temporal/worker.ts';
import { requireBundle } from './temporal/workflow-bundle.ts';
import { measureAttempts } from './webhooks/attempt-metrics.ts';
import { keepOperatorEndpoint } from './webhooks/operator-endpoint.ts';

/** Connections to Postgres of a webhook worker: its runs wait for endpoints, not for rows. */
const WEBHOOK_CONNECTIONS = 10;

/** One worker process: `npm run start:worker -- --task-queue lead [--task-queue …]`. */
async function start(context: ProcessContext): Promise<void> {
  const { env, log, closers } = context;
  const taskQueues = readTaskQueues();
  await openTracing(context, 'worker');
  const sdkAddress = env.METRICS_PORT === undefined ? undefined : `127.0.0.1:${await loopbackPort()}`;
  installRuntime(log, sdkAddress);
  const metrics = await openMetrics(context, { sdkUrl: sdkAddress && `http://${sdkAddress}/metrics` });
  let polling: { problem: string | undefined } = { problem: 'not polling yet: starting, or waiting for Postgres' };
  if (env.HEALTH_PORT !== undefined) {
    const look = () => ({ problem: polling.problem });
    closers.add('health', await serveHealth(env.HEALTH_PORT, env.HOST, look));
  }

  const workloads = new Map<TaskQueue, Workload>();
  const measurePool = metrics && measurePools(metrics);
  const prepare = workloadsOf(context, taskQueues, { metrics, measurePool });
  const capacity = capacityOf(env);
  for (const taskQueue of taskQueues)
    workloads.set(taskQueue, { ...(await prepare[taskQueue]()), ...capacity[taskQueue] });

  const graceMs = env.SHUTDOWN_GRACE_MS;
  const buildId = env.WORKER_BUILD_ID;
  const onStepEnd = observeSteps(context, taskQueues, { metrics, measurePool });
  const started = startPolling({ ...loadTemporalSettings(), workloads, graceMs, buildId, log, onStepEnd });
  closers.add('workers', () => started.stop());
  polling = started;
}

/** What each queue runs, warm: the first lead does not wait for it. */
function workloadsOf(
  { env, log, closers, stopping }: ProcessContext,
  taskQueues: TaskQueue[],
  { metrics, measurePool }: Measures,
) {
  const slots =
    (taskQueues.includes(TASK_QUEUES.notification) ? env.NOTIFICATION_CONCURRENCY : 0) +
    (taskQueues.includes(TASK_QUEUES.lead) ? env.LEAD_CONCURRENCY : 0) +
    (taskQueues.includes(TASK_QUEUES.webhook) ? WEBHOOK_CONNECTIONS : 0);
  let database: ReturnType<typeof openDatabase> | undefined;
  /** Work that needs Postgres is not taken before it is there. */
  const store = async () => {
    if (database) return database;
    database = openDatabase(env, { name: `worker:${taskQueues.join('+')}`, connections: slots + 2, log });
    closers.add('database', database.close);
    measurePool?.(database.pool);
    await untilSchemaFits(database.pool, log, stopping);
    await warmUp(database.pool).catch((err: unknown) => log.warn({ err }, 'not warmed up'));
    return database;
  };
  return {
    [TASK_QUEUES.onboarding]: async (): Promise<Workload> => {
      const workflowBundle = await requireBundle();
      await warmUpWorkflows(workflowBundle);
      return { workflowBundle };
    },
    [TASK_QUEUES.notification]: async (): Promise<Workload> => {
      const { pool } = await store();
      const announcer = createInboxAnnouncer(pool);
      closers.add('announcements', () => announcer.idle());
      return { activities: createNotificationActivities({ pool, announcer }), failurePolicy };
    },
    [TASK_QUEUES.webhook]: async (): Promise<Workload> => {
      const { pool, prisma } = await store();
      await keepOperatorEndpoint(prisma, operatorWebhook(env));
      const resolver = createNameResolver();
      const poster = createSafePost({ resolver, allowed: allowHosts(env.WEBHOOK_ALLOW_HOSTS) });
      const operatorPoster = createSafePost({ allowed: () => true });
      closers.add('webhook connections', () => Promise.all([poster.close(), operatorPoster.close()]));
      const onAttempt = metrics && measureAttempts(metrics);
      const delivery = { pool, prisma, poster, operatorPoster, onAttempt, log, stopping };
      return { activities: createWebhookActivities(delivery) };
    },
    [TASK_QUEUES.lead]: async (): Promise<Workload> => {
      const { policyOf, providersOn } = await openEnrichment(env, process.env);
      const { pool, prisma } = await store();
      const providers = providersOn(prisma);
      const measured = metrics ? providers.map(measureLookups(metrics)) : providers;
      return {
        activities: createLeadActivities({ pool, prisma, providers: measured, policyOf }),
        failurePolicy,
      };
    },
  };
}

function operatorWebhook({
  NOTIFICATION_WEBHOOK_URL: url,
  NOTIFICATION_WEBHOOK_SECRET: secret,
}: ProcessContext['env']) {
  return url && secret ? { url, secret } : undefined;
}

function readTaskQueues(): TaskQueue[] {
  const known = Object.values(TASK_QUEUES);
  const usage = `Say which task queues to poll: --task-queue ${known.join(' | ')} (may be repeated).`;
  let named: string[];
  try {
    named = parseArgs({ options: { 'task-queue': { type: 'string', multiple: true } } }).values['task-queue'] ?? [];
  } catch (err) {
    throw new Error(`${usage} ${err instanceof Error ? err.message : ''}`, { cause: err });
  }
  const unknown = named.filter((name) => !known.some((queue) => queue === name));
  if (named.length === 0 || unknown.length > 0) {
    throw new Error(unknown.length > 0 ? `No such task queue: ${unknown.join(', ')}. ${usage}` : usage);
  }
  return [...new Set(named as TaskQueue[])];
}

await runProcess(() => `worker:${readTaskQueues().join('+')}`, start);
