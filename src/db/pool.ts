import pg from 'pg';
import { createImpatientClient } from './impatient-client.ts';
import { traceStatements } from './trace-statements.ts';

/** A database that takes longer to connect is down; callers are told so instead of waiting. */
const CONNECT_TIMEOUT_MS = 2_000;
/** No statement of ours takes longer on a healthy database. */
const STATEMENT_TIMEOUT_MS = 2_500;
/** A transaction whose process died or hangs must not keep its locks. */
const IDLE_IN_TRANSACTION_TIMEOUT_MS = 10_000;
/** What stays open when nobody has needed a connection for 10 s: a new one makes its plans anew, which a lone lead waits for. */
const KEPT_CONNECTIONS = 1;
/** Idle connections are asked whether they live: what lies between forgets those on which nothing is said. */
const KEEP_ALIVE_AFTER_MS = 30_000;

export interface PoolOptions {
  connectionString: string;
  /** Connections at most. */
  max: number;
  /** Shown in `pg_stat_activity`. */
  applicationName: string;
  /** The role that its statements run as; without it they run as the user of the connection string. */
  role?: string | undefined;
  /** Receives the errors of idle connections, which would end the process otherwise. */
  onError: (err: Error) => void;
}

/** A pool that connects when it is first used, with a deadline on everything that can hang. */
export function createPool({ connectionString, max, applicationName, role, onError }: PoolOptions): pg.Pool {
  const pool = new pg.Pool({
    connectionString,
    Client: createImpatientClient(),
    max,
    min: KEPT_CONNECTIONS,
    application_name: applicationName,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    statement_timeout: STATEMENT_TIMEOUT_MS,
    idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_TIMEOUT_MS,
    keepAlive: true,
    keepAliveInitialDelayMillis: KEEP_ALIVE_AFTER_MS,
    // oxlint-disable-next-line typescript/no-misused-promises -- the pool waits for it, whatever its type says
    ...(role !== undefined && { onConnect: takeRole(role) }),
  });
  pool.on('error', onError);
  traceStatements(pool);
  return pool;
}

/** When it fails, the pool closes the connection: none is ever used without the role. */
const takeRole = (role: string) => (client: pg.ClientBase) => client.query(`SET ROLE ${pg.escapeIdentifier(role)}`);
