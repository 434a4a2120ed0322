import { constants } from 'node:fs';
import { access, mkdir } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { cacheDirOf } from '../cache-dir.ts';
import { withLock } from './lock.ts';
import { StartError } from '../start-error.ts';
import { goBuild } from './temporal-cli-build.ts';
import { sdkDownload } from './temporal-cli-download.ts';
import { executable, type CliContext } from './temporal-cli-way.ts';
import { checkTemporalCli } from './temporal-version.ts';

export interface TemporalCli {
  path: string;
  /** Version of its server, major and minor. */
  server: string;
}

const WAYS = [sdkDownload, goBuild];

/**
 * Finds a Temporal CLI: on the PATH, else what an earlier call fetched, else fetched now: the SDK's download, or a build
 * with Go. Several processes may ask at once; one of them fetches.
 * @throws StartError naming the three ways and why each failed
 */
export async function resolveTemporalCli(options: Partial<CliContext> = {}): Promise<TemporalCli> {
  const { env = process.env, onProgress = () => undefined, signal } = options;
  const faults: string[] = [];
  const firstGood = async (paths: string[]): Promise<TemporalCli | undefined> => {
    for (const path of paths) {
      const check = await checkTemporalCli(path, signal);
      signal?.throwIfAborted();
      if (check.ok) return { path, server: check.server };
      faults.push(check.fault);
      onProgress(`${check.fault}: looking for another one`);
    }
    return undefined;
  };

  const onPath = await firstGood(
    await existing(pathFolders(env).map((folder) => join(folder, executable('temporal')))),
  );
  if (onPath) return onPath;
  if (faults.length === 0) faults.push('there is no temporal on the PATH');

  const cacheDir = cacheDirOf(env);
  const cached = () => existing(WAYS.map((way) => way.path(cacheDir)));
  const fromCache = await firstGood(await cached());
  if (fromCache) return fromCache;
  await mkdir(cacheDir, { recursive: true }).catch((error: unknown) => {
    throw new StartError(`Cannot keep the Temporal CLI in ${cacheDir} (${String(error)}): set XDG_CACHE_HOME`);
  });
  const onWait = () => onProgress('another process is fetching the Temporal CLI: waiting for it');
  const fetched = await withLock(join(cacheDir, 'temporal-cli.lock'), { onWait, signal }, async () => {
    const meanwhile = await firstGood(await cached());
    if (meanwhile) return meanwhile;
    for (const way of WAYS) {
      const fault = await way.fetch(cacheDir, { env, onProgress, signal });
      signal?.throwIfAborted();
      const found = fault === undefined ? await firstGood([way.path(cacheDir)]) : undefined;
      if (found) return found;
      if (fault !== undefined) faults.push(fault);
    }
    return undefined;
  });
  if (fetched) return fetched;
  throw new StartError(
    `No Temporal CLI: ${faults.join('; ')}. Do one of these: put temporal 1.5 or newer on the PATH, ` +
      'allow HTTPS to temporal.download, or install Go. Or set TEMPORAL_ADDRESS to a server of your own.',
  );
}

function pathFolders(env: NodeJS.ProcessEnv): string[] {
  return (env['PATH'] ?? '').split(delimiter).filter(Boolean);
}

async function existing(paths: string[]): Promise<string[]> {
  const found = await Promise.all(
    paths.map((path) =>
      access(path, constants.X_OK)
        .then(() => path)
        .catch(() => undefined),
    ),
  );
  return found.filter((path) => path !== undefined);
}
