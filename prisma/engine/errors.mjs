import { describeConnectionError } from './connection-error.mjs';
import { describeScriptFailure } from './script-failure.mjs';

/** @import { Failures } from './database.mjs' */
/** @import { Failure, Request } from './rpc.mjs' */

/**
 * What Prisma's command line shows of an error of the engine.
 * @param {unknown} error
 * @param {Failures} failures What happened below the engine meanwhile.
 * @param {Request} [request]
 * @returns {Failure}
 */
export function describeError(error, failures, request) {
  if (!(error instanceof Error)) return { message: String(error) };
  if (failures.script && request) return describeScriptFailure(failures.script, request);
  if ('code' in error && typeof error.code === 'string') return { message: error.message, code: error.code };
  const connection = describeConnectionError(failures.error);
  if (connection) {
    return { message: [error.message.trim(), connection.reason].filter(Boolean).join('\n'), code: connection.code };
  }
  // For an error that is not the database's the engine has a number only.
  const cause =
    failures.error instanceof Error && failures.error.name !== 'DriverAdapterError' ? failures.error : error;
  return { message: cause.message.trim() };
}
