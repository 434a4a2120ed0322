import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createPool } from '../src/db/pool.ts';
import { createPrisma } from '../src/db/prisma.ts';
import { freePort } from '../src/local/ports.ts';
import { ensureDatabase } from '../src/local/postgres/database.ts';
import { migrate } from '../src/local/postgres/migrations.ts';
import { connectionStringOf, startPostgres } from '../src/local/postgres/postgres.ts';
import { projectRoot } from '../src/local/project-root.ts';

const DATABASE = 'bench';

/** A Postgres of its own with all migrations, as `npm start` has it, which goes when the work is done. */
export async function withPostgres<T>(work: (database: BenchDatabase) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'lead-onboarding-bench-'));
  const port = await freePort();
  const postgres = await startPostgres({
    dataDir: join(folder, 'postgres'),
    port,
    settings: { shared_buffers: '1GB', max_wal_size: '8GB' },
  });
  const url = connectionStringOf(port, DATABASE);
  await ensureDatabase(postgres.connectionString, DATABASE);
  await migrate({ connectionString: url, root: projectRoot() });
  const pool = createPool({ connectionString: url, max: 10, applicationName: 'bench', onError: () => undefined });
  const prisma = createPrisma(pool);
  try {
    return await work({ url, pool, prisma });
  } finally {
    await prisma.$disconnect();
    await pool.end();
    await postgres.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

export interface BenchDatabase {
  url: string;
  pool: ReturnType<typeof createPool>;
  prisma: ReturnType<typeof createPrisma>;
}
