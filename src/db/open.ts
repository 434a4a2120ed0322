import type { Logger } from '../telemetry/logger.ts';
import { createPool } from './pool.ts';
import { createPrisma } from './prisma.ts';

/**
 * Opens the database of one process: one pool, which Prisma and plain statements share. Connects when first used.
 * @throws Error when `DATABASE_URL` is not set.
 */
export function openDatabase(
  env: { DATABASE_URL?: string | undefined },
  options: { name: string; connections: number; role?: string | undefined; log: Logger },
) {
  if (env.DATABASE_URL === undefined) {
    throw new Error('Set DATABASE_URL to a PostgreSQL 15 or newer, as in postgres://user:password@host:5432/leads.');
  }
  const pool = createPool({
    connectionString: env.DATABASE_URL,
    max: options.connections,
    applicationName: options.name,
    role: options.role,
    onError: (err) => options.log.warn({ err }, 'idle database connection lost'),
  });
  const prisma = createPrisma(pool);
  const close = async () => {
    await prisma.$disconnect();
    await pool.end();
  };
  return { pool, prisma, close };
}
