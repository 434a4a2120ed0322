import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { inject } from 'vitest';
import { createPool } from '../../src/db/pool.ts';
import { createPrisma } from '../../src/db/prisma.ts';
import { connectionStringOf } from '../../src/local/postgres/postgres.ts';
import { TEMPLATE_DATABASE } from './global-setup.ts';
import { PATIENCE_MS } from './patience.ts';

export type TestDatabase = Awaited<ReturnType<typeof createTestDatabase>>;

/** A database of its own in the shared server, with all migrations. */
export async function createTestDatabase() {
  const port = inject('postgresPort');
  const name = `test_${randomBytes(6).toString('hex')}`;
  await asAdmin(port, `CREATE DATABASE ${name} TEMPLATE ${TEMPLATE_DATABASE} STRATEGY FILE_COPY`);
  const url = connectionStringOf(port, name);
  const pool = createPool({ connectionString: url, max: 20, applicationName: name, onError: () => undefined });
  pool.options.connectionTimeoutMillis = PATIENCE_MS; // on a busy machine Postgres is slow to answer, not gone
  const prisma = createPrisma(pool);
  return {
    url,
    pool,
    prisma,
    async drop() {
      await prisma.$disconnect();
      await pool.end();
      await asAdmin(port, `DROP DATABASE ${name} WITH (FORCE)`);
    },
  };
}

async function asAdmin(port: number, statement: string): Promise<void> {
  const admin = new pg.Client({ connectionString: connectionStringOf(port) });
  await admin.connect();
  try {
    await admin.query(statement);
  } finally {
    await admin.end();
  }
}
