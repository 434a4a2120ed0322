import { openDatabase } from './db/open.ts';
import type { Environment } from './environment.ts';
import { createApp } from './http/app.ts';
import { listen } from './http/listen.ts';
import { createOnboardingRuns } from './onboarding/runs.ts';
import { carryOut } from './outbox/carry-out.ts';
import { createFastStart } from './outbox/fast-start.ts';
import { type ProcessContext, runProcess } from './processes.ts';
import { openTemporal } from './temporal/connection.ts';
import { openSearchAttributeRegistry } from './temporal/search-attribute-registry.ts';

const CONNECTIONS = 10;
/** Runs that one API process starts at once; past that, under a burst, they are the relay's. */
const FAST_START_SLOTS = 32;

/** The API process. It serves without Temporal: what it cannot start waits in the outbox. */
async function start({ env, log, stopping, closers }: ProcessContext): Promise<void> {
  requireKnownAuth(env);
  const { pool, prisma, close } = openDatabase(env, { name: 'api', connections: CONNECTIONS, log });
  closers.add('database', close);
  const temporal = openTemporal();
  closers.add('Temporal', () => temporal.close());
  const searchAttributes = openSearchAttributeRegistry(temporal, log, stopping);
  const fastStart = createFastStart({
    pool,
    log,
    slots: FAST_START_SLOTS,
    carryOut: (order) => carryOut({ client: temporal.client, searchAttributes, log }, order),
  });
  closers.add('workflow starts', () => fastStart.idle());

  const app = createApp({
    pool,
    prisma,
    fastStart,
    runs: createOnboardingRuns(temporal, env.TEMPORAL_UI_URL),
    intake: { enrichmentDelayMs: env.ENRICHMENT_DELAY_MS, idempotencyTtlHours: env.IDEMPOTENCY_TTL_HOURS },
    trustedProxies: env.TRUSTED_PROXIES,
    log,
  });
  closers.add('HTTP', await listen(app.fetch, { host: env.HOST, port: env.PORT }));
  log.info({ host: env.HOST, port: env.PORT }, 'API listens');
}

/** Without keys everybody who reaches the port reads every lead: that has to be somebody's decision. */
function requireKnownAuth(env: Environment): void {
  if (env.API_AUTH === 'off') return;
  throw new Error(
    'API keys are not part of this release. Set API_AUTH=off, and let only trusted callers reach the port.',
  );
}

await runProcess(() => 'api', start);
