import { setTimeout as sleep } from 'node:timers/promises';
import type { Pool } from 'pg';
import type { Logger } from '../telemetry/logger.ts';

/** The newest migration that this code needs. Later ones may be there: migrations leave old code its tables. */
export const NEEDED_MIGRATION = '20261201000000_group_locks';

const RETRY_MS = 1_000;
/** So many times a server that is just starting may be late without a word of it. */
const PATIENT = 3;
const UNDEFINED_TABLE = '42P01';

/**
 * Says whether the database has come as far as this code.
 * @throws pg errors when it cannot be asked
 */
export async function hasNeededSchema(pool: Pool): Promise<boolean> {
  const done = `SELECT 1 FROM _prisma_migrations
                WHERE migration_name = $1 AND finished_at IS NOT NULL AND rolled_back_at IS NULL`;
  try {
    return (await pool.query({ name: 'has_migration', text: done, values: [NEEDED_MIGRATION] })).rowCount === 1;
  } catch (err) {
    if ((err as { code?: unknown }).code === UNDEFINED_TABLE) return false;
    throw err;
  }
}

/** Waits until the database is there and has come as far as this code, or until the process stops. */
export async function untilSchemaFits(pool: Pool, log: Logger, stopping: AbortSignal): Promise<void> {
  for (let attempt = 0; !stopping.aborted; attempt += 1) {
    const problem = await hasNeededSchema(pool).then(
      (has) => (has ? undefined : { needed: NEEDED_MIGRATION }),
      (err: unknown) => ({ err }),
    );
    if (!problem) return;
    if (attempt % 10 === PATIENT) log.warn(problem, 'Postgres is out of reach, or lacks a migration; trying again');
    await sleep(RETRY_MS, undefined, { signal: stopping }).catch(() => undefined);
  }
}
