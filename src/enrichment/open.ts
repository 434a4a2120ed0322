import type { PrismaClient } from '../db/generated/client.ts';
import { readConfig } from './config/read-config.ts';
import { allowHosts } from '../safe-fetch/allowed-hosts.ts';
import { createNameResolver } from '../safe-fetch/name-resolver.ts';
import { createSafeFetch } from '../safe-fetch/safe-fetch.ts';
import type { EnrichmentProvider } from './provider.ts';
import { createProviders, policyFrom } from './providers.ts';
import type { PolicyOf } from './stored.ts';

export interface OpenEnrichment {
  policyOf: PolicyOf;
  providersOn: (prisma: PrismaClient) => EnrichmentProvider[];
}

/**
 * How a worker process enriches, as its environment and the file of `ENRICHMENT_CONFIG` have it.
 * @param variables where the keys of providers are
 * @throws EnrichmentConfigError
 */
export async function openEnrichment(
  env: { ENRICHMENT_ALLOW_HOSTS: string[]; ENRICHMENT_CONFIG?: string | undefined },
  variables: NodeJS.ProcessEnv,
): Promise<OpenEnrichment> {
  const allowed = allowHosts(env.ENRICHMENT_ALLOW_HOSTS);
  const config = await readConfig(env.ENRICHMENT_CONFIG, variables, allowed);
  const resolver = createNameResolver();
  const fetch = createSafeFetch({ resolver, allowed, userAgent: config.userAgent });
  return {
    policyOf: policyFrom(config),
    providersOn: (prisma) => createProviders({ prisma, resolver, fetch, config }),
  };
}
