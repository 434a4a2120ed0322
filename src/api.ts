import type { Server } from 'node:http';
import { serve } from '@hono/node-server';
import { openDatabase } from './db/open.ts';
import { type Environment, readEnvironment } from './environment.ts';
import { formSecretReader } from './forms/secret.ts';
import { createFormTokens } from './forms/token.ts';
import { createApp } from './http/app.ts';
import { protectServer, serverOptions } from './http/server.ts';
import { createLogger } from './logger.ts';
import { createOnboardingRuns } from './onboarding/runs.ts';
import { carryOut } from './outbox/carry-out.ts';
import { createFastStart } from './outbox/fast-start.ts';
import { Closers, runProcess, waitForSignal } from './processes.ts';
import { createRateLimiter } from './rate-limit/limiter.ts';
import { shareCounts } from './rate-limit/share.ts';
import { createTemporalClient } from './temporal/connection.ts';
import { openSearchAttributeRegistry } from './temporal/search-attribute-registry.ts';

const CONNECTIONS = 10;
/** Runs that one API process starts at once; past that, under a burst, they are the relay's. */
const FAST_START_SLOTS = 32;
/** Where callers need keys: ten a second, and bursts of a minute's worth. */
const DEFAULT_RATE_LIMIT = { requests: 600, seconds: 60 };
/** Nobody fills a form of a name and an e-mail faster. */
const MIN_FORM_AGE_MS = 3_000;
const HOUR_MS = 3_600_000;

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

  const rateLimit = env.RATE_LIMIT ?? (env.API_AUTH === 'off' ? 'off' : DEFAULT_RATE_LIMIT);
  const rateLimiter = rateLimit === 'off' ? 'off' : createRateLimiter(rateLimit);
  if (rateLimiter !== 'off') {
    const sharing = shareCounts({ limiter: rateLimiter, pool, log });
    closers.add('rate limits', () => sharing.stop());
  }
  const app = createApp({
    pool,
    prisma,
    fastStart,
    runs: createOnboardingRuns(client, env.TEMPORAL_UI_URL),
    intake: { enrichmentDelayMs: env.ENRICHMENT_DELAY_MS, idempotencyTtlHours: env.IDEMPOTENCY_TTL_HOURS },
    trustedProxies: env.TRUSTED_PROXIES,
    rateLimiter,
    corsOrigins: env.CORS_ORIGINS,
    formTokens: createFormTokens({
      readSecret: formSecretReader(pool),
      minAgeMs: MIN_FORM_AGE_MS,
      maxAgeMs: env.IDEMPOTENCY_TTL_HOURS * HOUR_MS, // as long as it is known which were used
    }),
    formReturnOrigins: env.FORM_RETURN_ORIGINS,
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
    const starting = serve({ fetch, serverOptions, hostname: env.HOST, port: env.PORT }, () => resolve(starting));
    protectServer(starting as Server);
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
