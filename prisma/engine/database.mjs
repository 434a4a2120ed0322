import { setTimeout as sleep } from 'node:timers/promises';
import { PrismaPg } from '@prisma/adapter-pg';
import { ColumnTypeEnum } from '@prisma/driver-adapter-utils';
import { CatalogPool } from './catalog-pool.mjs';
import { asUnreachable } from './connection-error.mjs';
import { connectToShadow } from './shadow-database.mjs';

/** @import { SqlDriverAdapter, SqlMigrationAwareDriverAdapterFactory } from '@prisma/driver-adapter-utils' */

/**
 * What went wrong below the engine, whose own errors leave half of it out.
 * @typedef {object} Failures
 * @property {unknown} [error] The last one that the adapter reported to the engine.
 * @property {{ script: string, cause: unknown }} [script] The last script that failed, and Postgres' answer to it.
 */

const LOCK = /^\s*SELECT pg_advisory_lock\((\d+)\)/i;
const ASK_AGAIN_MS = 200;

/**
 * Connects the engine to a database.
 * @param {string} url
 * @param {Failures} failures
 * @returns {SqlMigrationAwareDriverAdapterFactory}
 */
export function databaseAt(url, failures) {
  return {
    provider: 'postgres',
    adapterName: '@prisma/adapter-pg',
    connect: () => connect(url, failures),
    connectToShadowDb: () => connectToShadow(url, (address) => connect(address, failures)),
  };
}

/**
 * @param {string} url
 * @param {Failures} failures
 * @returns {Promise<SqlDriverAdapter>}
 */
async function connect(url, failures) {
  const pool = new CatalogPool(url);
  const adapter = await new PrismaPg(pool, { disposeExternalPool: true }).connect();

  /**
   * @template Argument, Result
   * @param {(argument: Argument) => Promise<Result>} call
   * @returns {(argument: Argument) => Promise<Result>}
   */
  const recorded = (call) => async (argument) => {
    try {
      return await call(argument);
    } catch (error) {
      failures.error = asUnreachable(error, url);
      throw failures.error;
    }
  };
  const plainQuery = recorded(adapter.queryRaw.bind(adapter));
  const plainExecute = recorded(adapter.executeRaw.bind(adapter));

  /**
   * A statement that waits for the lock of another deployment holds a snapshot, for which a CREATE INDEX CONCURRENTLY of
   * that deployment waits in turn. So the lock is asked for again and again, and taken once it is ours.
   * @template Result
   * @param {(query: import('@prisma/driver-adapter-utils').SqlQuery) => Promise<Result>} call
   * @returns {(query: import('@prisma/driver-adapter-utils').SqlQuery) => Promise<Result>}
   */
  const asking = (call) => async (query) => {
    const [, key] = LOCK.exec(query.sql) ?? [];
    for (let isOurs = key === undefined; !isOurs;) {
      const { rows } = await plainQuery({ sql: `SELECT pg_try_advisory_lock(${key})`, args: [], argTypes: [] });
      isOurs = rows[0]?.[0] === true || rows[0]?.[0] === 't';
      if (!isOurs) await sleep(ASK_AGAIN_MS);
    }
    return call(query);
  };
  const queryRaw = asking(plainQuery);
  const executeRaw = asking(plainExecute);

  adapter.executeRaw = executeRaw;
  adapter.queryRaw = async (query) => {
    const result = await queryRaw(query);
    for (const column of pool.charColumns(result.rows)) result.columnTypes[column] = ColumnTypeEnum.Character;
    return result;
  };
  // The adapter's own splits a script at every semicolon, also within a function's body. Without arguments this is
  // one plain query: Postgres splits it, and runs all of it or nothing.
  adapter.executeScript = async (script) => {
    try {
      await executeRaw({ sql: script, args: [], argTypes: [] });
    } catch (error) {
      failures.script = { script, cause: pool.lastError };
      throw error;
    }
  };
  return adapter;
}
