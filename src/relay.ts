import { sweepStreamTokens } from './api-keys/stream-tokens.ts';
import { openLease } from './db/lease.ts';
import { listen } from './db/listen.ts';
import { openDatabase } from './db/open.ts';
import { measurePools } from './db/pool-metrics.ts';
import { untilSchemaFits } from './db/schema.ts';
import { tickFeedClock } from './events/clock.ts';
import { sweepEnrichment } from './enrichment/guard/sweep.ts';
import { type Health, serveHealth } from './process/health-server.ts';
import { jsonPage } from './process/metrics-server.ts';
import { openTracing } from './process/open-tracing.ts';
import { openMetrics } from './process/open-metrics.ts';
import { sweepIdempotencyKeys } from './leads/sweep-idempotency-keys.ts';
import { sweepAttempts } from './onboarding/attempts/sweep.ts';
import { carryOut } from './outbox/carry-out/carry-out.ts';
import { startRelay } from './outbox/relay.ts';
import { ORDERS_CHANNEL } from './outbox/wake.ts';
import { type ProcessContext, runProcess } from './process/run-process.ts';
import { startReconciler } from './reconciler/reconcile.ts';
import { startPasses } from './reconciler/passes.ts';
import { countVerdicts } from './reconciler/verdict-metrics.ts';
import { sweepErasures } from './personal-data/sweep-erasures.ts';
import { keepRetentionSchedule } from './personal-data/retention/keep-schedule.ts';
import { scoreSweeper } from './scoring/sweep-scores.ts';
import { createGauges } from './statistics/gauges.ts';
import { readStatistics } from './statistics/read-statistics.ts';
import { answerScaling } from './statistics/scaling.ts';
import { openTemporal } from './temporal/connection.ts';
import { openSearchAttributeRegistry } from './temporal/search-attribute-registry.ts';
import { reportTaskOrder } from './temporal/task-order.ts';
import { sweepWebhooks } from './webhooks/attempts.ts';
import { wakeEndpoints } from './webhooks/wake.ts';

/** Connections for orders. */
const CONNECTIONS = 5;
/** Connections for what has time: however long its statements take, orders do not wait for it. */
const BACKGROUND_CONNECTIONS = 3;
/** An onboarding that stands still for longer is looked at. The usual one is over before. */
const PATIENCE_MS = 30_000;
/** Between two looks for what has expired. */
const SWEEP_INTERVAL_MS = 60_000;
/** Between two looks for what is left of erased leads. */
const ERASURE_INTERVAL_MS = 5_000;
/** Between two looks of the relay that leads at Temporal's statistics. */
const STATISTICS_INTERVAL_MS = 10_000;
/** Between two notes of how far the feed of events has come: it has one a minute. */
const CLOCK_INTERVAL_MS = 20_000;
/** Between two looks for webhook endpoints that there is something for. */
const WAKE_INTERVAL_MS = 500;
/** Polls that a ready relay may be behind. */
const MISSED_POLLS = 5;

/** The relay process: carries out what the API has written but not started, and finds what nothing would finish. */
async function start(context: ProcessContext): Promise<void> {
  const { env, log, stopping, closers } = context;
  await openTracing(context, 'relay');
  const { pool, close } = openDatabase(env, { name: 'relay', connections: CONNECTIONS, log });
  closers.add('database', close);
  const background = openDatabase(env, { name: 'relay-background', connections: BACKGROUND_CONNECTIONS, log });
  closers.add('background database', background.close);
  const temporal = openTemporal();
  closers.add('Temporal', () => temporal.close());
  const searchAttributes = openSearchAttributeRegistry(temporal, log, stopping);
  void reportTaskOrder(temporal, log, stopping);

  let look = (): Health => ({ problem: 'not polling yet: waiting for Postgres, or for a migration of it' });
  if (env.HEALTH_PORT !== undefined) closers.add('health', await serveHealth(env.HEALTH_PORT, env.HOST, () => look()));

  const pages = { '/scaling/': async (queue: string) => jsonPage(await answerScaling(background.pool, queue)) };
  const metrics = await openMetrics(context, { pages });
  if (metrics) [pool, background.pool].forEach(measurePools(metrics));

  await untilSchemaFits(pool, log, stopping);
  if (stopping.aborted) return;
  const relay = startRelay({
    pool,
    log,
    pollMs: env.OUTBOX_POLL_MS,
    carryOut: (order) => carryOut({ client: temporal.client, searchAttributes, log }, order),
  });
  closers.add('relay', () => relay.stop());
  const wake = () => relay.wake();
  closers.add('listener', listen(pool, ORDERS_CHANNEL, { onMessage: wake, onListening: wake }, log));
  const reconciler = {
    pool: background.pool,
    prisma: background.prisma,
    get client() {
      return temporal.client;
    },
    log,
    patienceMs: PATIENCE_MS,
    enrichmentDelayMs: env.ENRICHMENT_DELAY_MS,
    wakeRelay: wake,
    onVerdicts: metrics && countVerdicts(metrics),
  };
  closers.add('reconciler', startReconciler(reconciler, env.RECONCILE_INTERVAL_MS));
  const sweepScores = scoreSweeper(background.pool);
  const sweep = async (signal: AbortSignal) =>
    (await sweepIdempotencyKeys(background.pool, signal)) +
    (await sweepStreamTokens(background.pool, signal)) +
    (await sweepEnrichment(background.pool, signal)) +
    (await sweepScores(signal)) +
    (await sweepAttempts(background.pool, env.ATTEMPT_DAYS, signal)) +
    (await sweepWebhooks(background.pool, signal));
  const tick = () => tickFeedClock(background.pool);
  closers.add('feed clock', startPasses({ what: 'feed clock', intervalMs: CLOCK_INTERVAL_MS, pass: tick, log }));
  const erase = (signal: AbortSignal) => sweepErasures(background.pool, log, signal);
  closers.add('erasures', startPasses({ what: 'erasures', intervalMs: ERASURE_INTERVAL_MS, pass: erase, log }));
  closers.add('sweeper', startPasses({ what: 'sweeper', intervalMs: SWEEP_INTERVAL_MS, pass: sweep, log }));

  const lease = openLease(background.pool, 'statistics');
  closers.add('lease', () => lease.release());
  const statistics = {
    pool: background.pool,
    get client() {
      return temporal.client;
    },
    lease,
    gauges: metrics && createGauges(metrics),
  };
  const readAll = () => readStatistics(statistics);
  const passes = { what: 'statistics', intervalMs: STATISTICS_INTERVAL_MS, pass: readAll, log };
  closers.add('statistics', startPasses(passes));

  const webhooks = {
    pool,
    get client() {
      return temporal.client;
    },
  };
  const wakeAll = () => wakeEndpoints(webhooks);
  closers.add('webhooks', startPasses({ what: 'webhooks', intervalMs: WAKE_INTERVAL_MS, pass: wakeAll, log }));

  const tolerated = env.OUTBOX_POLL_MS * MISSED_POLLS + 5_000;
  look = () => {
    const details = { temporal: temporal.inReach ? 'reachable' : 'unreachable' };
    const { lastPollAt, trouble } = relay;
    const isLate = lastPollAt === undefined || Date.now() - lastPollAt > tolerated;
    if (isLate && trouble === undefined) return { problem: 'the relay cannot read its orders', details };
    if (!temporal.inReach) return { problem: 'Temporal does not answer', details };
    return { problem: trouble === 'refused' ? 'Temporal refuses the orders' : undefined, details };
  };

  void keepRetentionSchedule(temporal, { retentionDays: env.RETENTION_DAYS, log, signal: stopping });
  log.info('relay runs');
}

await runProcess(() => 'relay', start);
