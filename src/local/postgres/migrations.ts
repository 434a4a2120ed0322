import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { query } from './database.ts';
import { runCommand } from '../processes/run-command.ts';
import { StartError } from '../start-error.ts';

/** Arguments for node, from the project's folder. */
const MIGRATE_COMMAND = ['prisma/engine/cli.mjs', 'migrate', 'deploy'];

export interface MigrateOptions {
  connectionString: string;
  root: string;
  signal?: AbortSignal;
}

/**
 * Brings the database to the newest schema.
 * @returns how many migrations were applied
 * @throws StartError
 */
export async function migrate({ connectionString, root, signal }: MigrateOptions): Promise<number> {
  const pending = await countPending(connectionString, join(root, 'prisma', 'migrations'));
  if (pending === 0) return 0;
  const env = { ...process.env, DATABASE_URL: connectionString };
  const result = await runCommand(process.execPath, MIGRATE_COMMAND, { cwd: root, env, ...(signal ? { signal } : {}) });
  if (result.ok) return pending;
  throw new StartError(
    `The database could not be migrated (${result.reason}):\n${result.stdout}${result.stderr}`.trim(),
  );
}

/** Asking Postgres is seconds quicker than Prisma's command. One that failed, or was rolled back, is for Prisma to judge. */
async function countPending(connectionString: string, folder: string): Promise<number> {
  const entries = await readdir(folder, { withFileTypes: true });
  const applied = await query<{ name: string }>(
    connectionString,
    'SELECT migration_name AS name FROM _prisma_migrations WHERE finished_at IS NOT NULL AND rolled_back_at IS NULL',
  ).catch(() => []);
  const names = new Set(applied.map(({ name }) => name));
  return entries.filter((entry) => entry.isDirectory() && !names.has(entry.name)).length;
}
