import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { environmentSchema } from '../../src/process/environment.ts';

/** Read by the package, and then not used for the connection. */
const WITHOUT_EFFECT = ['TEMPORAL_CODEC_ENDPOINT', 'TEMPORAL_CODEC_AUTH', 'TEMPORAL_TLS_DISABLE_HOST_VERIFICATION'];

/** The variables of `src/environment.ts`. */
export const environmentVariables = Object.keys(environmentSchema.shape);

/** The variables that `@temporalio/envconfig` connects by; one that ends in `*` is a prefix. */
export async function envconfigVariables(): Promise<string[]> {
  const entry = createRequire(import.meta.url).resolve('@temporalio/envconfig');
  const source = await readFile(join(dirname(entry), 'envconfig-toml.js'), 'utf8');
  const names = Array.from(source.matchAll(/'(TEMPORAL_[A-Z_]+)'/g), ([, name = '']) => name.replace(/_$/, '_*'));
  return [...new Set(names)].filter((name) => !WITHOUT_EFFECT.includes(name));
}
