import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'yaml';
import { projectRoot } from '../../src/local/project-root.ts';

export interface Service {
  image: string;
  build?: string;
  command?: string[];
  entrypoint?: string[];
  restart?: string;
  stop_grace_period?: string;
  container_name?: string;
  ports?: string[];
  volumes?: string[];
  depends_on?: Record<string, { condition: string }>;
  environment?: Record<string, string | number>;
  healthcheck?: { test: string[] };
  configs?: { source: string; target: string }[];
  networks?: string[];
  user?: string;
  cap_drop?: string[];
  security_opt?: string[];
  mem_limit?: string;
  pids_limit?: number;
  cpu_shares?: number;
  profiles?: string[];
}

export interface Compose {
  services: Record<string, Service>;
  configs: Record<string, { content: string }>;
  networks: Record<string, { internal?: boolean } | null>;
}

const COMPOSE_FILE = join(projectRoot(), 'docker-compose.yml');
const VARIABLE = /\$\$|\$\{([A-Z_]+):-((?:[^{}]|\$\{[^{}]*\})*)\}/g;

/** Reads the compose file as Docker Compose does with these variables set. */
export async function readCompose(variables: Record<string, string> = {}): Promise<Compose> {
  const interpolate = (text: string): string =>
    text.replaceAll(VARIABLE, (match, name: string, fallback: string) =>
      match === '$$' ? '$' : variables[name] || interpolate(fallback),
    );
  const interpolateAll = (value: unknown): unknown => {
    if (typeof value === 'string') return interpolate(value);
    if (Array.isArray(value)) return value.map(interpolateAll);
    if (value === null || typeof value !== 'object') return value;
    return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, interpolateAll(entry)]));
  };
  return interpolateAll(parse(await readFile(COMPOSE_FILE, 'utf8'), { merge: true })) as Compose;
}

/** The services that run this project's image, by name. */
export const ownServices = ({ services }: Compose) => Object.entries(services).filter(([, { build }]) => build === '.');

/** What a container of this service has in its environment. */
export const environmentOf = ({ environment = {} }: Service): Record<string, string> =>
  Object.fromEntries(Object.entries(environment).map(([name, value]) => [name, String(value)]));

/** The names of the variables that the compose file takes from outside. */
export async function composeVariables(): Promise<string[]> {
  const text = await readFile(COMPOSE_FILE, 'utf8');
  return [...new Set(Array.from(text.matchAll(/\$\{([A-Z_]+)/g), ([, name = '']) => name))];
}
