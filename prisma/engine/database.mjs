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
  const queryRaw = recorded(adapter.queryRaw.bind(adapter));
  const executeRaw = recorded(adapter.executeRaw.bind(adapter));

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
