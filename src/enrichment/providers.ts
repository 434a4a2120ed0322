import type { PrismaClient } from '../db/generated/client.ts';
import { builtInProviders } from './built-in.ts';
import { BUILT_IN, type HttpSourceConfig } from './config/config.ts';
import type { ReadConfig } from './config/read-config.ts';
import type { NameResolver } from '../safe-fetch/name-resolver.ts';
import type { SafeFetch } from '../safe-fetch/safe-fetch.ts';
import { guard } from './guard/guard.ts';
import type { SourceLimits } from './guard/limits.ts';
import { createHttpSource } from './http-source/http-source.ts';
import { createMailDomainSource } from './mail-domain-source.ts';
import type { EnrichmentProvider } from './provider.ts';
import type { PolicyOf } from './stored.ts';
import { createWebSiteSource } from './web-site/web-site-source.ts';

/** A DNS query and its answer; the resolver itself gives up after half a second. */
const MAIL_DOMAIN_MS = 2_000;
/** Of a web site's time, what is left for reading a page that came at the last moment. */
const READING_MS = 500;
const HOUR_MS = 3_600_000;

export interface ProviderDependencies {
  prisma: PrismaClient;
  resolver: NameResolver;
  fetch: SafeFetch;
  config: ReadConfig;
}

/** The providers of a configuration, each within its limits, in the order in which they are asked. */
export function createProviders({ prisma, resolver, fetch, config }: ProviderDependencies): EnrichmentProvider[] {
  const { mailDomain, webSite, http } = config;
  const unlimited = { timeoutMs: MAIL_DOMAIN_MS, dailyBudget: Number.MAX_SAFE_INTEGER };
  const all = [
    ...builtInProviders,
    guard(prisma, createMailDomainSource(resolver), limitsOf({ ...unlimited, ...mailDomain })),
    guard(prisma, createWebSiteSource({ fetch, withinMs: webSite.timeoutMs - READING_MS }), limitsOf(webSite)),
    ...http.map((source) => {
      const headers = config.headersOf.get(source.name) ?? {};
      const { failures, pauseSeconds } = source.circuit;
      const circuit = { failures, pauseMs: pauseSeconds * 1_000 };
      return guard(prisma, createHttpSource(fetch, { ...source, headers }), { ...limitsOf(source), circuit });
    }),
  ];
  const order = config.order ?? [...BUILT_IN, ...http.map(({ name }) => name)];
  return order.flatMap((name) => all.find((provider) => provider.name === name) ?? []);
}

/** A value that comes anew takes the place of the old one, unless the configuration says otherwise. */
export const policyFrom =
  ({ writePolicy }: Pick<ReadConfig, 'writePolicy'>): PolicyOf =>
  (field) =>
    writePolicy[field] ?? 'refresh';

function limitsOf(set: Pick<HttpSourceConfig, 'timeoutMs' | 'cacheHours' | 'dailyBudget'>): SourceLimits {
  const { found, nothing } = set.cacheHours;
  return {
    timeoutMs: set.timeoutMs,
    cacheMs: { found: found * HOUR_MS, nothing: nothing * HOUR_MS },
    dailyBudget: set.dailyBudget,
  };
}
