import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createPool } from '../src/db/pool.ts';
import { createPrisma } from '../src/db/prisma.ts';
import { freePort } from '../src/local/ports.ts';
import { query } from '../src/local/postgres/database.ts';
import { migrate } from '../src/local/postgres/migrations.ts';
import { connectionStringOf, preparePostgres } from '../src/local/postgres/postgres.ts';
import { projectRoot } from '../src/local/project-root.ts';
import { type Running, runPart } from './support/processes.ts';

const SETTINGS = { shared_buffers: '1GB', max_wal_size: '8GB', max_connections: '200' };
const TEMPLATE = 'migrated';

/** A Postgres of its own, as `npm start` has it, which goes when the work is done. */
export async function withServer<T>(
  work: (server: BenchServer) => Promise<T>,
  settings: Record<string, string> = {},
): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'lead-onboarding-bench-'));
  const port = await freePort();
  const dataDir = join(folder, 'postgres');
  const process = await runPart(await preparePostgres({ dataDir, port, settings: { ...SETTINGS, ...settings } }));
  const url = connectionStringOf(port);
  try {
    await query(url, `CREATE DATABASE ${TEMPLATE}`);
    await migrate({ connectionString: connectionStringOf(port, TEMPLATE), root: projectRoot() });
    return await work({
      url,
      process,
      async createDatabase({ schema, template = schema === undefined ? TEMPLATE : 'template1' } = {}) {
        const name = `bench_${randomBytes(6).toString('hex')}`;
        await query(url, `CREATE DATABASE ${name} TEMPLATE ${template} STRATEGY FILE_COPY`);
        const database = connectionStringOf(port, name);
        if (schema !== undefined) await query(database, schema);
        return { name, url: database, drop: () => query(url, `DROP DATABASE ${name} WITH (FORCE)`) };
      },
    });
  } finally {
    await process.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

export interface BenchServer {
  url: string;
  process: Running;
  /** A new database: with all migrations, with the tables of another schema, or with all that another one has. */
  createDatabase(from?: { schema?: string; template?: string }): Promise<Database>;
}

interface Database {
  name: string;
  url: string;
  drop: () => Promise<unknown>;
}

/** A database with all migrations, in a server of its own, which goes when the work is done. */
export const withPostgres = <T>(work: (database: BenchDatabase) => Promise<T>): Promise<T> =>
  withServer(async (server) => connected((await server.createDatabase()).url, work));

/** Connections to a database, for as long as the work takes. */
export async function connected<T>(url: string, work: (database: BenchDatabase) => Promise<T>): Promise<T> {
  const pool = createPool({ connectionString: url, max: 10, applicationName: 'bench', onError: () => undefined });
  const prisma = createPrisma(pool);
  try {
    return await work({ url, pool, prisma });
  } finally {
    await prisma.$disconnect();
    await pool.end();
  }
}

export interface BenchDatabase {
  url: string;
  pool: ReturnType<typeof createPool>;
  prisma: ReturnType<typeof createPrisma>;
}
