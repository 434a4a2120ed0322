import { readFile } from 'node:fs/promises';
import { bindMigrationAwareSqlAdapterFactory } from '@prisma/driver-adapter-utils';
import { databaseAt } from './database.mjs';
import { describeError } from './errors.mjs';
import { noDatabase } from './no-database.mjs';
import { loadSchemaEngine, panic } from './wasm.mjs';

/** @import { DiffResult, DiffTarget } from '@prisma/schema-engine-wasm' */
/** @import { Failures } from './database.mjs' */
/** @import { Answer, Request } from './rpc.mjs' */

/** @typedef {Record<string, ((params: unknown) => Promise<unknown>) | undefined>} Methods */

/** Where a method is called otherwise than its request. */
const RENAMED = new Map([['getDatabaseVersion', 'version']]);

/**
 * Answers requests with Prisma's engine, which connects at the first of them.
 * @param {{ url: string | undefined, schemaFiles: string[] }} options
 * @returns {(request: Request) => Promise<Answer>}
 */
export function engineFor({ url, schemaFiles }) {
  /** @type {Failures} */
  const failures = {};
  /** @type {Promise<Methods> | undefined} */
  let opened;

  /**
   * @param {Request} request
   * @returns {Promise<Methods>}
   */
  async function open(request) {
    const { SchemaEngine } = await loadSchemaEngine();
    const database = url === undefined || comparesFiles(request) ? noDatabase : databaseAt(url, failures);
    const engine = await SchemaEngine.new(
      { datamodels: schemaFiles.length > 0 ? await Promise.all(schemaFiles.map(readSchema)) : undefined },
      (/** @type {string} */ line) => process.stderr.write(line),
      bindMigrationAwareSqlAdapterFactory(database),
    );
    return /** @type {Methods} */ (/** @type {unknown} */ (engine));
  }

  /** @param {Request} request */
  async function call(request) {
    opened ??= open(request);
    const engine = await opened;
    const method = RENAMED.get(request.method) ?? request.method;
    if (!engine[method]) throw new Error(`Prisma's engine has no "${method}" as WebAssembly`);
    return engine[method](request.params);
  }

  return async (request) => {
    delete failures.error;
    delete failures.script;
    try {
      const result = await Promise.race([panic, call(request)]);
      if (request.method !== 'diff') return { result };
      const { stdout, ...rest } = /** @type {DiffResult} */ (result);
      return { result: rest, print: stdout };
    } catch (error) {
      return { error: describeError(error, failures, request) };
    }
  };
}

/**
 * @param {string} file
 * @returns {Promise<[string, string]>}
 */
async function readSchema(file) {
  return [file, await readFile(file, 'utf8')];
}

/** @param {Request} request */
function comparesFiles({ method, params }) {
  /** @param {DiffTarget | undefined} target */
  const isFile = (target) => target?.tag === 'empty' || target?.tag === 'schemaDatamodel';
  return method === 'diff' && isFile(params?.from) && isFile(params.to);
}
