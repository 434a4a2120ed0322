import { databaseAt } from './database.mjs';
import { describeError } from './errors.mjs';
import { engineFor } from './requests.mjs';

/** @import { Failures } from './database.mjs' */

/**
 * Runs one of the commands that Prisma sends before it opens the engine, and reports on standard error as it expects.
 * @param {string} command
 * @param {string | undefined} url
 * @returns {Promise<number>} the exit code
 */
export async function runCommand(command, url) {
  log('INFO', { message: 'Starting schema engine CLI' });
  const error = await (command === 'create-database' ? createDatabase(url) : canConnect(command, url));
  if (!error) return 0;
  log('ERROR', { is_panic: false, error_code: error.code ?? '', message: error.message });
  return 1;
}

/**
 * @param {string} command
 * @param {string | undefined} url
 */
async function canConnect(command, url) {
  if (command !== 'can-connect-to-database') return { message: `Unknown command "${command}"` };
  const { error } = await engineFor({ url, schemaFiles: [] })({ id: 1, method: 'getDatabaseVersion' });
  return error;
}

/** @param {string | undefined} url of a database that does not exist, on a server that does */
async function createDatabase(url = '') {
  /** @type {Failures} */
  const failures = {};
  try {
    const server = new URL(url);
    const name = decodeURIComponent(server.pathname.slice(1)).replaceAll('"', '""');
    server.pathname = '/postgres';
    const adapter = await databaseAt(server.href, failures).connect();
    await adapter.executeRaw({ sql: `CREATE DATABASE "${name}"`, args: [], argTypes: [] });
    return undefined;
  } catch (error) {
    return describeError(error, failures);
  }
}

/**
 * @param {'INFO' | 'ERROR'} level
 * @param {object} fields
 */
function log(level, fields) {
  process.stderr.write(`${JSON.stringify({ level, fields, target: 'schema_engine::logger' })}\n`);
}
