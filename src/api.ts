import { createKeyring, createOperatorKeyring, createStreamKeyring } from './api-keys/keyring.ts';
import { createShare, unshared } from './db/fair-share.ts';
import { openDatabase } from './db/open.ts';
import { measurePools } from './db/pool-metrics.ts';
import { API_ROLE } from './db/tenant.ts';
import { formSecretReader } from './forms/secret.ts';
import { createFormTokens } from './forms/token.ts';
import { ANSWER_WITHIN_MS } from './http/answers/deadline.ts';
import { createApp } from './http/app.ts';
import { listen } from './http/server/listen.ts';
import { createInboxAnnouncer } from './notifications/announce.ts';
import { allowHosts } from './safe-fetch/allowed-hosts.ts';
import { createWatchers } from './streams/watchers.ts';
import { watchFeeds } from './events/watch.ts';
import { watchInboxes } from './notifications/watch.ts';
import { createOnboardingRuns } from './onboarding/runs.ts';
import { carryOut } from './outbox/carry-out/carry-out.ts';
import { createFastStart } from './outbox/fast-start.ts';
import { openTracing } from './process/open-tracing.ts';
import { openMetrics } from './process/open-metrics.ts';
import { type ProcessContext, runProcess } from './process/run-process.ts';
import { createRateLimiter } from './rate-limit/limiter.ts';
import { shareCounts } from './rate-limit/share.ts';
import { openTemporal } from './temporal/connection.ts';
import { openSearchAttributeRegistry } from './temporal/search-attribute-registry.ts';

/** For requests. */
const CONNECTIONS = 10;
/** What one organization may have of them, and milliseconds for which its other requests wait for that. */
const SHARE = { atOnce: CONNECTIONS / 2, waitMs: 1_500 };
/** For what belongs to no caller: orders that were carried out, inboxes, forms. */
const OWN_CONNECTIONS = 3;
/** For operators: what they look at goes over all organizations, and must hold up nobody. */
const OPERATOR_CONNECTIONS = 2;
/** For what every request waits for, and must not wait for the rest: whose key it is. And for the look of a probe. */
const KEY_CONNECTIONS = 2;
/** Runs that one API process starts at once; past that, under a burst, they are the relay's. */
const FAST_START_SLOTS = 4;
/** Where callers need keys: ten a second, and bursts of a minute's worth. */
const DEFAULT_RATE_LIMIT = { requests: 600, seconds: 60 };
/** Nobody fills a form of a name and an e-mail faster. */
const MIN_FORM_AGE_MS = 3_000;
const HOUR_MS = 3_600_000;

/** The API process. It serves without Temporal: what it cannot start waits in the outbox. */
async function start(context: ProcessContext): Promise<void> {
  const { env, log, stopping, closers } = context;
  await openTracing(context, 'api');
  const metrics = await openMetrics(context);
  const withKeys = env.API_AUTH === 'required';
  const role = withKeys ? API_ROLE : undefined;
  const { pool, prisma, close } = openDatabase(env, { name: 'api', connections: CONNECTIONS, role, log });
  closers.add('database', close);
  const own = openDatabase(env, { name: 'api:own', connections: OWN_CONNECTIONS, log });
  closers.add('own database', own.close);
  const keys = openDatabase(env, { name: 'api:keys', connections: KEY_CONNECTIONS, log });
  closers.add('database of keys', keys.close);
  const operators = openDatabase(env, { name: 'api:operators', connections: OPERATOR_CONNECTIONS, log });
  closers.add('database of operators', operators.close);
  if (metrics) [pool, own.pool, keys.pool, operators.pool].forEach(measurePools(metrics));
  const temporal = openTemporal();
  closers.add('Temporal', () => temporal.close());
  const searchAttributes = openSearchAttributeRegistry(temporal, log, stopping);
  const fastStart = createFastStart({
    pool: own.pool,
    log,
    slots: FAST_START_SLOTS,
    carryOut: (order) => carryOut({ client: temporal.client, searchAttributes, log }, order),
  });
  closers.add('workflow starts', () => fastStart.idle());
  const inboxAnnouncer = createInboxAnnouncer(own.pool);
  closers.add('announcements', () => inboxAnnouncer.idle());
  const watchers = createWatchers({ stopping, fair: withKeys });
  const inboxWatch = watchInboxes({ pool: own.pool, log, watchers });
  closers.add('listener', () => inboxWatch.close());
  const feedWatch = watchFeeds({ pool: own.pool, watchers });
  closers.add('feeds', () => feedWatch.idle());

  const rateLimit = env.RATE_LIMIT ?? (withKeys ? DEFAULT_RATE_LIMIT : 'off');
  const rateLimiter = rateLimit === 'off' ? 'off' : createRateLimiter(rateLimit);
  if (rateLimiter !== 'off') {
    const sharing = shareCounts({ limiter: rateLimiter, pool: own.pool, log });
    closers.add('rate limits', () => sharing.stop());
  }
  const app = createApp({
    pool,
    prisma,
    healthPool: keys.pool,
    keyring: withKeys ? createKeyring({ pool: keys.pool, log }) : 'off',
    streamKeyring: createStreamKeyring({ pool: keys.pool, log }),
    operators: {
      pool: operators.pool,
      prisma: operators.prisma,
      keyring: withKeys ? createOperatorKeyring({ pool: keys.pool, log }) : 'off',
      temporal,
    },
    share: withKeys ? createShare(SHARE) : unshared,
    fastStart,
    answerWithinMs: ANSWER_WITHIN_MS,
    runs: createOnboardingRuns(temporal, env.TEMPORAL_UI_URL),
    intake: { enrichmentDelayMs: env.ENRICHMENT_DELAY_MS, idempotencyTtlHours: env.IDEMPOTENCY_TTL_HOURS },
    webhookHosts: allowHosts(env.WEBHOOK_ALLOW_HOSTS),
    inboxWatch,
    feedWatch,
    inboxAnnouncer,
    trustedProxies: env.TRUSTED_PROXIES,
    rateLimiter,
    corsOrigins: env.CORS_ORIGINS,
    formTokens: createFormTokens({
      readSecret: formSecretReader(own.pool),
      minAgeMs: MIN_FORM_AGE_MS,
      maxAgeMs: env.IDEMPOTENCY_TTL_HOURS * HOUR_MS, // as long as it is known which were used
    }),
    formReturnOrigins: env.FORM_RETURN_ORIGINS,
    log,
    metrics,
  });
  closers.add('HTTP', await listen(app.fetch, { host: env.HOST, port: env.PORT }));
  log.info({ host: env.HOST, port: env.PORT, auth: env.API_AUTH }, 'API listens');
}

await runProcess(() => 'api', start);
