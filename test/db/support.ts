import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { inject } from 'vitest';
import { connectionStringOf } from '../../src/local/postgres/postgres.ts';
import { projectRoot } from '../../src/local/project-root.ts';

export const SCHEMA = join(projectRoot(), 'prisma/schema.prisma');
export const MIGRATIONS = join(projectRoot(), 'prisma/migrations');

export interface PrismaResult {
  exitCode: number;
  stdout: string;
  stderr: string;
}

/** Runs Prisma's command line as the npm scripts do; from another folder, as it must not matter. */
export async function runPrisma(args: string[], databaseUrl?: string): Promise<PrismaResult> {
  const env = { ...process.env, NO_COLOR: '1', DATABASE_URL: databaseUrl };
  return new Promise((resolve) => {
    const child = execFile(
      process.execPath,
      [join(projectRoot(), 'prisma/engine/cli.mjs'), ...args],
      { cwd: tmpdir(), env },
      (_error, stdout, stderr) => {
        resolve({ exitCode: child.exitCode ?? -1, stdout, stderr });
      },
    );
  });
}

/** A database that does not exist yet in the shared server, and is removed after the test when it does. */
export function unborn() {
  const port = inject('postgresPort');
  const name = `deploy_${randomBytes(6).toString('hex')}`;
  return {
    url: connectionStringOf(port, name),
    async [Symbol.asyncDispose]() {
      await query(connectionStringOf(port), `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
    },
  };
}

/** Runs one statement on a connection of its own. */
export async function query(url: string, statement: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(statement)).rows;
  } finally {
    await client.end();
  }
}

/** A server that takes connections and never says a word. */
export async function silentServer() {
  const server = createServer(() => undefined).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  return {
    url: connectionStringOf(port, 'leads'),
    [Symbol.dispose]() {
      server.close();
    },
  };
}
