import pg from 'pg';
import { StartError } from '../start-error.ts';

const ANSWER_WITHIN_MS = 5_000;
const OLDEST_VERSION = 15;

/**
 * Makes sure that a Postgres somebody else runs can be used.
 * @returns its version
 * @throws StartError
 */
export async function checkDatabase(connectionString: string): Promise<string> {
  const { host, pathname } = new URL(connectionString);
  try {
    const [row] = await query<{ version: string }>(
      connectionString,
      `SELECT current_setting('server_version') AS version`,
    );
    const version = row?.version ?? 'unknown';
    if (Number.parseInt(version, 10) >= OLDEST_VERSION) return version;
    throw new StartError(`DATABASE_URL leads to Postgres ${version}: ${OLDEST_VERSION} or newer is needed`);
  } catch (error) {
    if (error instanceof StartError) throw error;
    throw new StartError(
      `DATABASE_URL: no usable Postgres at ${host}${pathname} (${reasonOf(error)}): ` +
        'start it or correct the variable, or unset it to use the embedded one',
    );
  }
}

/** Makes a database in a server when it has none of that name. */
export async function ensureDatabase(serverUrl: string, name: string): Promise<void> {
  const found = await query(serverUrl, 'SELECT 1 FROM pg_database WHERE datname = $1', [name]);
  if (found.length === 0) await query(serverUrl, `CREATE DATABASE ${pg.escapeIdentifier(name)}`);
}

/** Runs one statement on a connection of its own. */
export async function query<Row extends pg.QueryResultRow>(
  connectionString: string,
  statement: string,
  values: unknown[] = [],
): Promise<Row[]> {
  const client = new pg.Client({ connectionString, connectionTimeoutMillis: ANSWER_WITHIN_MS });
  client.on('error', () => undefined);
  try {
    await client.connect();
    return (await client.query<Row>(statement, values)).rows;
  } finally {
    await client.end().catch(() => undefined);
  }
}

/** An error of several addresses tried has a code and no message. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.message || ((error as NodeJS.ErrnoException).code ?? error.name);
}
