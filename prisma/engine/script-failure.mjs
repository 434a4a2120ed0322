/** @import { Failures } from './database.mjs' */
/** @import { Failure, Request } from './rpc.mjs' */

/**
 * Says which migration failed, where and why, as Prisma's own engine does.
 * @param {NonNullable<Failures['script']>} failure
 * @param {Request} request
 * @returns {Failure}
 */
export function describeScriptFailure({ script, cause }, request) {
  const reason = describeCause(cause, script);
  const name = migrationOf(script, request);
  if (name === undefined) return { message: reason };
  if (request.method !== 'applyMigrations') {
    return {
      message: `Migration \`${name}\` failed to apply cleanly to the shadow database.\n${reason}`,
      code: 'P3006',
    };
  }
  const advice =
    'A migration failed to apply. New migrations cannot be applied before the error is recovered from. ' +
    'Read more about how to resolve migration issues in a production database: https://pris.ly/d/migrate-resolve';
  return { message: `${advice}\n\nMigration name: ${name}\n\n${reason}`, code: 'P3018' };
}

/**
 * @param {unknown} cause An error of node-postgres.
 * @param {string} script
 */
function describeCause(cause, script) {
  const { code, message, detail, hint, position } = /** @type {Record<string, string | undefined>} */ (cause);
  const line = position === undefined ? undefined : script.slice(0, Number(position)).split('\n').length;
  return [
    code && `Database error code: ${code}`,
    `Database error: ${message ?? String(cause)}${line === undefined ? '' : ` (line ${line})`}`,
    detail && `Detail: ${detail}`,
    hint && `Hint: ${hint}`,
  ]
    .filter(Boolean)
    .join('\n');
}

/**
 * The name of the migration with that script. A request has its list of migrations in one of three places.
 * @param {string} script
 * @param {Request} request
 */
function migrationOf(script, { params }) {
  const lists = [params?.migrationsList, params?.from, params?.to];
  const directories = lists.flatMap((list) =>
    list && 'migrationDirectories' in list ? list.migrationDirectories : [],
  );
  return directories.find(({ migrationFile }) => migrationFile.content.value === script)?.path;
}
