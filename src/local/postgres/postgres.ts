import { mkdir } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import type { Part } from '../processes/part.ts';
import { hasDataDir, makeDataDir, POSTGRES_LOGIN, postgresBinaries } from './postgres-files.ts';
import { postgresUser } from './postgres-user.ts';
import { runOnce } from '../processes/run-once.ts';

export interface PostgresOptions {
  dataDir: string;
  /** It listens there on 127.0.0.1 only. */
  port: number;
  /** More server settings, such as `fsync` for tests that can lose their data. */
  settings?: Record<string, string>;
  /** Called when the data folder is made, which takes seconds, once. */
  onFirstStart?: () => void;
  signal?: AbortSignal;
}

/** The address of a database in an embedded server, which has no TLS, whatever `PGSSLMODE` the shell has. */
export function connectionStringOf(port: number, database = 'postgres'): string {
  const { user, password } = POSTGRES_LOGIN;
  return `postgresql://${user}:${password}@127.0.0.1:${port}/${database}?sslmode=disable`;
}

/** Makes the data folder when there is none, and describes the server process on it. */
export async function preparePostgres({
  dataDir,
  port,
  settings = {},
  onFirstStart,
  signal,
}: PostgresOptions): Promise<Part> {
  const folder = resolve(dataDir);
  await mkdir(dirname(folder), { recursive: true });
  const binaries = await postgresBinaries();
  const runAs = await postgresUser(folder, [dirname(binaries.postgres), dirname(folder)]);
  if (!(await hasDataDir(folder))) {
    onFirstStart?.();
    await makeDataDir(folder, binaries, runAs, signal);
  }
  const all = {
    port: String(port),
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    log_error_verbosity: 'terse', // the detail of an error quotes rows, and so persons
    ...settings,
  };
  return {
    name: 'postgres',
    command: binaries.postgres,
    args: ['-D', folder, ...Object.entries(all).flatMap(([name, value]) => ['-c', `${name}=${value}`])],
    env: { ...process.env, LC_ALL: 'C', TZ: 'UTC' },
    cwd: dirname(binaries.postgres),
    ...(runAs ? { runAs } : {}),
    ready: { kind: 'postgres', connectionString: connectionStringOf(port) },
    output: 'postgres',
    stopSignal: 'SIGINT',
    stopWithinMs: 15_000,
  };
}

/** Starts an embedded server without supervision, for tests. `stop` keeps the data. */
export async function startPostgres(
  options: PostgresOptions,
): Promise<{ connectionString: string; stop: () => Promise<void> }> {
  const { stop } = await runOnce(await preparePostgres(options));
  return { connectionString: connectionStringOf(options.port), stop };
}
