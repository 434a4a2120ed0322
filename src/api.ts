import { serve } from '@hono/node-server';
import { openDatabase } from './db/open.ts';
import { type Environment, readEnvironment } from './environment.ts';
import { createApp } from './http/app.ts';
import { createLogger } from './logger.ts';
import { watchInboxes } from './notifications/watch.ts';
import { createOnboardingRuns } from './onboarding/runs.ts';
import { carryOut } from './outbox/carry-out.ts';
import { createFastStart } from './outbox/fast-start.ts';
import { Closers, runProcess, waitForSignal } from './processes.ts';
import { createTemporalClient } from './temporal/connection.ts';
import { openSearchAttributeRegistry } from './temporal/search-attribute-registry.ts';

const CONNECTIONS = 10;
/** Runs that one API process starts at once; past that, under a burst, they are the relay's. */
const FAST_START_SLOTS = 32;

/** The API process. It serves without Temporal: what it cannot start waits in the outbox. */
async function main(): Promise<void> {
  const env = readEnvironment(process.env);
  requireKnownAuth(env);
  const log = createLogger('api', env.LOG_LEVEL);
  const signal = waitForSignal();
  const closers = new Closers();

  const { pool, prisma, close } = openDatabase(env, { name: 'api', connections: CONNECTIONS, log });
  closers.add('database', close);
  const client = createTemporalClient();
  closers.add('Temporal', () => client.connection.close());
  const stopping = new AbortController();
  const searchAttributes = openSearchAttributeRegistry(client, log, stopping.signal);
  const fastStart = createFastStart({
    pool,
    log,
    slots: FAST_START_SLOTS,
    carryOut: (order) => carryOut({ client, searchAttributes, log }, order),
  });
  closers.add('workflow starts', () => fastStart.idle());
  const inboxWatch = watchInboxes({ pool, log, stopping: stopping.signal });
  closers.add('listener', () => inboxWatch.close());

  const app = createApp({
    pool,
    prisma,
    fastStart,
    runs: createOnboardingRuns(client, env.TEMPORAL_UI_URL),
    intake: { enrichmentDelayMs: env.ENRICHMENT_DELAY_MS, idempotencyTtlHours: env.IDEMPOTENCY_TTL_HOURS },
    inboxWatch,
    trustedProxies: env.TRUSTED_PROXIES,
    log,
  });
  closers.add('HTTP', await listen(app.fetch, env));
  log.info({ host: env.HOST, port: env.PORT }, 'API listens');

  log.info({ signal: await signal }, 'API drains');
  stopping.abort();
  await closers.closeAll(log);
}

/** Without keys everybody who reaches the port reads every lead: that has to be somebody's decision. */
function requireKnownAuth(env: Environment): void {
  if (env.API_AUTH === 'off') return;
  throw new Error(
    'API keys are not part of this release. Set API_AUTH=off, and let only trusted callers reach the port.',
  );
}

/** @returns a function that lets running requests finish, then closes. */
async function listen(fetch: Parameters<typeof serve>[0]['fetch'], env: Environment): Promise<() => Promise<void>> {
  const server = await new Promise<ReturnType<typeof serve>>((resolve, reject) => {
    const starting = serve({ fetch, hostname: env.HOST, port: env.PORT }, () => resolve(starting));
    starting.once('error', (err: NodeJS.ErrnoException) => reject(explainListenError(err, env)));
  });
  return () =>
    new Promise((resolve) => {
      server.close(() => resolve());
      if ('closeIdleConnections' in server) server.closeIdleConnections();
    });
}

function explainListenError(err: NodeJS.ErrnoException, { HOST, PORT }: Environment): Error {
  if (err.code === 'EADDRINUSE') return new Error(`Port ${PORT} of ${HOST} is taken: set PORT to a free one.`);
  return new Error(`Cannot listen on ${HOST}:${PORT} (${err.code ?? err.name}): correct HOST and PORT.`);
}

await runProcess(main);
