import { openDatabase } from './db/open.ts';
import { readEnvironment } from './environment.ts';
import { serveHealth } from './health-server.ts';
import { createLogger } from './logger.ts';
import { carryOut } from './outbox/carry-out.ts';
import { startReconciler } from './outbox/reconciler.ts';
import { startRelay } from './outbox/relay.ts';
import { Closers, runProcess, waitForSignal } from './processes.ts';
import { keepRetentionSchedule } from './retention/keep-schedule.ts';
import { createTemporalClient } from './temporal/connection.ts';
import { openSearchAttributeRegistry } from './temporal/search-attribute-registry.ts';

const CONNECTIONS = 5;
/** An onboarding that stands still for longer is looked at. The usual one is over before. */
const PATIENCE_MS = 30_000;
/** Rounds that a ready relay may be behind. */
const MISSED_ROUNDS = 5;

/** The relay process: carries out what the API has written but not started, and finds what nothing would finish. */
async function main(): Promise<void> {
  const env = readEnvironment(process.env);
  const log = createLogger('relay', env.LOG_LEVEL);
  const signal = waitForSignal();
  const closers = new Closers();

  const { pool, close } = openDatabase(env, { name: 'relay', connections: CONNECTIONS, log });
  closers.add('database', close);
  const client = createTemporalClient();
  closers.add('Temporal', () => client.connection.close());
  const stopping = new AbortController();
  const searchAttributes = openSearchAttributeRegistry(client, log, stopping.signal);

  const relay = startRelay({
    pool,
    log,
    pollMs: env.OUTBOX_POLL_MS,
    carryOut: (order) => carryOut({ client, searchAttributes, log }, order),
  });
  closers.add('relay', () => relay.stop());
  const reconciler = startReconciler({
    pool,
    client,
    log,
    intervalMs: env.RECONCILE_INTERVAL_MS,
    patienceMs: PATIENCE_MS,
    enrichmentDelayMs: env.ENRICHMENT_DELAY_MS,
  });
  closers.add('reconciler', () => reconciler.stop());

  void keepRetentionSchedule(client, { retentionDays: env.RETENTION_DAYS, log, signal: stopping.signal });

  const tolerated = env.OUTBOX_POLL_MS * MISSED_ROUNDS + 5_000;
  const problem = () =>
    relay.lastRoundAt !== undefined && Date.now() - relay.lastRoundAt < tolerated
      ? undefined
      : 'no round of the relay goes well';
  if (env.HEALTH_PORT !== undefined) closers.add('health', await serveHealth(env.HEALTH_PORT, env.HOST, { problem }));
  log.info('relay runs');

  log.info({ signal: await signal }, 'relay stops');
  stopping.abort();
  await closers.closeAll(log);
}

await runProcess(main);
