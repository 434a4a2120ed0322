import { NativeConnection } from '@temporalio/worker';
import { createLeadActivities } from '../../../activities/lead.ts';
import { createPool } from '../../../src/db/pool.ts';
import { createPrisma } from '../../../src/db/prisma.ts';
import { builtInProviders } from '../../../src/enrichment/built-in.ts';
import { allowHosts } from '../../../src/safe-fetch/allowed-hosts.ts';
import { createNameResolver } from '../../../src/safe-fetch/name-resolver.ts';
import { createSafeFetch } from '../../../src/safe-fetch/safe-fetch.ts';
import { guard } from '../../../src/enrichment/guard/guard.ts';
import { createWebSiteSource } from '../../../src/enrichment/web-site/web-site-source.ts';
import { createLogger } from '../../../src/telemetry/logger.ts';
import { installRuntime } from '../../../src/temporal/runtime.ts';
import { createWorker } from '../../../src/temporal/worker.ts';
import { TASK_QUEUES } from '../../../workflows/contract.ts';

/** What the test tells this process of its world. */
export interface EnrichmentWorld {
  databaseUrl: string;
  temporalAddress: string;
  namespace: string;
  dnsServers: string[];
  /** Port of the https site of each domain, which on the Internet is 443. */
  ports: Record<string, number>;
  ca: string;
}

const HOUR_MS = 3_600_000;
const REPORT_MS = 50;

/** A worker of the queue `lead`, as production has it, but for where web sites are. It tells how much memory it has. */
async function main(world: EnrichmentWorld): Promise<void> {
  const log = createLogger('test', 'fatal');
  installRuntime(log, undefined);
  const pool = createPool({
    connectionString: world.databaseUrl,
    max: 5,
    applicationName: 'child',
    onError: () => undefined,
  });
  const prisma = createPrisma(pool);
  const portOf = (domain: string) => world.ports[domain] ?? 443;
  const fetch = createSafeFetch({
    resolver: createNameResolver({ servers: world.dnsServers }),
    allowed: allowHosts(Object.entries(world.ports).map(([domain, port]) => `${domain}:${port}`)),
    userAgent: 'test/1.0',
    ca: world.ca,
  });
  const source = createWebSiteSource({ fetch, origins: (domain) => [`https://${domain}:${portOf(domain)}/`] });
  const limits = { timeoutMs: 8_000, cacheMs: { found: HOUR_MS, nothing: HOUR_MS }, dailyBudget: 1_000 };
  const providers = [...builtInProviders, guard(prisma, source, limits)];
  await prisma.enrichmentCache.findFirst(); // what Prisma takes for its first query is not the pages' doing
  const connection = await NativeConnection.connect({ address: world.temporalAddress });
  const worker = await createWorker({ connection, namespace: world.namespace, log, graceMs: 1_000 }, TASK_QUEUES.lead, {
    activities: createLeadActivities({ pool, prisma, providers }),
    maxConcurrentActivityTaskExecutions: 3,
  });
  setInterval(() => process.send?.(process.memoryUsage.rss()), REPORT_MS);
  await worker.run();
}

process.once('message', (world) => void main(world as EnrichmentWorld));
