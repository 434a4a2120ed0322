import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { NativeConnection } from '@temporalio/worker';
import { createLeadActivities } from '../activities/lead.ts';
import { createNotificationActivities } from '../activities/notification.ts';
import { TASK_QUEUES, type TaskQueue } from '../workflows/contract.ts';
import { openDatabase } from './db/open.ts';
import { builtInProviders } from './enrichment/built-in.ts';
import { type Environment, readEnvironment } from './environment.ts';
import { serveHealth } from './health-server.ts';
import { createLogger, type Logger } from './logger.ts';
import { createNotificationWebhook } from './notifications/webhook.ts';
import { warmUp } from './onboarding/warm-up.ts';
import { Closers, runProcess, waitForSignal } from './processes.ts';
import { loadTemporalSettings } from './temporal/connection.ts';
import { installRuntime } from './temporal/runtime.ts';
import { warmUpWorkflows } from './temporal/warm-up.ts';
import { createWorker, isPolling, type WorkerDependencies } from './temporal/worker.ts';
import { requireBundle } from './temporal/workflow-bundle.ts';

const CONNECT_RETRY_MS = 1_000;

/** One worker process: `npm run start:worker -- --task-queue lead [--task-queue …]`. */
async function main(): Promise<void> {
  const taskQueues = readTaskQueues(process.argv.slice(2));
  const env = readEnvironment(process.env);
  const log = createLogger(`worker:${taskQueues.join('+')}`, env.LOG_LEVEL);
  installRuntime(log, env.METRICS_PORT === undefined ? undefined : `${env.HOST}:${env.METRICS_PORT}`);
  const signal = waitForSignal();
  const closers = new Closers();

  let problem: string | undefined = 'connecting to Temporal';
  let unready = () => problem;
  if (env.HEALTH_PORT !== undefined) {
    closers.add('health', await serveHealth(env.HEALTH_PORT, env.HOST, { problem: () => unready() }));
  }

  const settings = loadTemporalSettings();
  const connection = await Promise.race([connect(settings.connectionOptions, log), signal]);
  if (typeof connection === 'string') return closers.closeAll(log);
  closers.add('Temporal', () => connection.close());

  const deps: WorkerDependencies = {
    connection,
    namespace: settings.namespace,
    log,
    graceMs: env.SHUTDOWN_GRACE_MS,
    workloads: createWorkloads(env, taskQueues, log, closers),
  };
  const workers = await Promise.all(taskQueues.map((taskQueue) => createWorker(deps, taskQueue)));
  unready = () => (workers.every(isPolling) ? undefined : 'a task queue is not polled');
  problem = undefined;

  const running = Promise.all(workers.map((worker) => worker.run()));
  log.info({ taskQueues, namespace: settings.namespace }, 'worker polls');
  void signal.then((name) => {
    log.info({ signal: name }, 'worker drains');
    for (const worker of workers) if (worker.getState() === 'RUNNING') worker.shutdown();
  });
  await running; // a worker that fails ends the process: whoever runs it starts it again
  await closers.closeAll(log);
  log.info('worker stopped');
}

function createWorkloads(env: Environment, taskQueues: TaskQueue[], log: Logger, closers: Closers) {
  const slots =
    (taskQueues.includes(TASK_QUEUES.notification) ? env.NOTIFICATION_CONCURRENCY : 0) +
    (taskQueues.includes(TASK_QUEUES.lead) ? env.LEAD_CONCURRENCY : 0);
  let database: ReturnType<typeof openDatabase> | undefined;
  const prisma = async () => {
    if (!database) {
      database = openDatabase(env, { name: `worker:${taskQueues.join('+')}`, connections: slots + 2, log });
      closers.add('database', database.close);
      await warmUp(database.prisma, log);
    }
    return database.prisma;
  };
  return {
    [TASK_QUEUES.onboarding]: async () => {
      const workflowBundle = await requireBundle();
      await warmUpWorkflows(workflowBundle);
      return { workflowBundle };
    },
    [TASK_QUEUES.notification]: async () => ({
      activities: createNotificationActivities({ prisma: await prisma(), webhook: openWebhook(env) }),
      maxConcurrentActivityTaskExecutions: env.NOTIFICATION_CONCURRENCY,
    }),
    [TASK_QUEUES.lead]: async () => ({
      activities: createLeadActivities({ prisma: await prisma(), providers: builtInProviders }),
      maxConcurrentActivityTaskExecutions: env.LEAD_CONCURRENCY,
    }),
  };
}

function openWebhook(env: Environment) {
  const { NOTIFICATION_WEBHOOK_URL: url, NOTIFICATION_WEBHOOK_SECRET: secret } = env;
  return url && secret ? createNotificationWebhook({ url, secret }) : undefined;
}

function readTaskQueues(args: string[]): TaskQueue[] {
  const known = Object.values(TASK_QUEUES);
  const usage = `Say which task queues to poll: --task-queue ${known.join(' | ')} (may be repeated).`;
  let named: string[];
  try {
    named =
      parseArgs({ args, options: { 'task-queue': { type: 'string', multiple: true } } }).values['task-queue'] ?? [];
  } catch (err) {
    throw new Error(`${usage} ${err instanceof Error ? err.message : ''}`, { cause: err });
  }
  const unknown = named.filter((name) => !known.some((queue) => queue === name));
  if (named.length === 0 || unknown.length > 0) {
    throw new Error(unknown.length > 0 ? `No such task queue: ${unknown.join(', ')}. ${usage}` : usage);
  }
  return [...new Set(named as TaskQueue[])];
}

/** `NativeConnection.connect` gives up at once; a worker waits for Temporal for as long as it takes. */
async function connect(options: Parameters<typeof NativeConnection.connect>[0], log: Logger) {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await NativeConnection.connect(options);
    } catch (err) {
      if (attempt % 10 === 1) log.warn({ attempt, err }, 'Temporal is out of reach; trying again');
      await sleep(CONNECT_RETRY_MS);
    }
  }
}

await runProcess(main);
