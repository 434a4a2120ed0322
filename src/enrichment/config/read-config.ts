import { readFile } from 'node:fs/promises';
import type { AllowedHosts } from '../../safe-fetch/allowed-hosts.ts';
import { portOf, usualPort } from '../../safe-fetch/target.ts';
import { configSchema, type EnrichmentConfig, type HttpSourceConfig } from './config.ts';

/** A configuration that cannot be used; its message names the file, each part at fault and what it takes. */
export class EnrichmentConfigError extends Error {
  override name = 'EnrichmentConfigError';
}

export interface ReadConfig extends EnrichmentConfig {
  /** Headers of each HTTP provider, its key among them. */
  headersOf: ReadonlyMap<string, Record<string, string>>;
}

/**
 * Reads the file of `ENRICHMENT_CONFIG`; without one, everything is as preset.
 * @param variables where the keys of providers are
 * @throws EnrichmentConfigError
 */
export async function readConfig(
  path: string | undefined,
  variables: NodeJS.ProcessEnv,
  allowed: AllowedHosts,
): Promise<ReadConfig> {
  const parsed = configSchema.safeParse(path === undefined ? {} : await readJson(path));
  const refuse = (faults: string[]) => {
    if (faults.length > 0) throw new EnrichmentConfigError(`Change ${path} and start again: ${faults.join('; ')}`);
  };
  if (!parsed.success) {
    refuse(parsed.error.issues.map((issue) => `${issue.path.join('.') || 'it'}: ${issue.message}`));
    throw parsed.error;
  }
  const { http } = parsed.data;
  refuse(
    http.flatMap((source, index) => faultsOf(source, variables, allowed).map((fault) => `http.${index}.${fault}`)),
  );
  const headersOf = new Map(http.map((source) => [source.name, headers(source, variables)]));
  return { ...parsed.data, headersOf };
}

async function readJson(path: string): Promise<unknown> {
  const text = await readFile(path, 'utf8').catch((err: unknown) => {
    const why = err instanceof Error ? err.message : String(err);
    throw new EnrichmentConfigError(`ENRICHMENT_CONFIG names a file that cannot be read: ${why}`);
  });
  try {
    return JSON.parse(text);
  } catch (err) {
    throw new EnrichmentConfigError(`${path} is no JSON: ${err instanceof Error ? err.message : String(err)}`);
  }
}

/** What every call would be refused for, or would give away. */
function faultsOf({ url, auth }: HttpSourceConfig, variables: NodeJS.ProcessEnv, allowed: AllowedHosts): string[] {
  const { protocol, hostname, ...rest } = describe(url);
  const isAllowed = allowed(hostname, rest.port);
  return [
    ...(!isAllowed && !rest.isUsualPort ? ['url: takes port 80 for http and 443 for https'] : []),
    ...(!isAllowed && protocol === 'http:' && auth ? ['url: takes https, since a key is sent'] : []),
    ...(auth && !variables[auth.env] ? [`auth.env: the variable ${auth.env} is not set`] : []),
    ...(auth && /[^\x20-\x7e]/.test(variables[auth.env] ?? '') ? [`auth.env: ${auth.env} is not printable ASCII`] : []),
  ];
}

function describe(template: string) {
  const url = new URL(template.replace(/[{}]/g, ''));
  return {
    protocol: url.protocol,
    hostname: url.hostname,
    port: portOf(url),
    isUsualPort: portOf(url) === usualPort(url),
  };
}

function headers({ headers: plain, auth }: HttpSourceConfig, variables: NodeJS.ProcessEnv): Record<string, string> {
  return { ...plain, ...(auth && { [auth.header]: `${auth.prefix}${variables[auth.env] ?? ''}` }) };
}
