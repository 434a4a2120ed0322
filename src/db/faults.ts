/**
 * What an error of the database means to somebody who waits for an answer:
 * `unavailable`: it is down, overloaded or too slow, and may be back soon;
 * `locked`: another transaction holds what this one needs.
 */
export type DatabaseFault = 'unavailable' | 'locked';

const LOCKED = new Set(['55P03']); // lock_not_available

/** SQLSTATE classes and codes, https://www.postgresql.org/docs/current/errcodes-appendix.html */
const UNAVAILABLE_STATES = /^(08|53|57P|58)|^(57014|40001|40P01|25P02|25006)$/;
/** https://www.prisma.io/docs/orm/reference/error-reference */
const UNAVAILABLE_PRISMA = new Set(['P1001', 'P1002', 'P1008', 'P1011', 'P1017', 'P2024', 'P2028', 'P2034', 'P2037']);
/** How its driver adapter tells what has no SQLSTATE, or one that it keeps to itself. */
const UNAVAILABLE_KINDS = new Set([
  'DatabaseNotReachable',
  'ConnectionClosed',
  'SocketTimeout',
  'TooManyConnections',
  'TransactionWriteConflict',
]);
const NETWORK = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
]);
/** node-postgres gives its own deadlines and broken connections no code. */
const PG_MESSAGES = /^(timeout exceeded when trying to connect|Query read timeout|Connection terminated)/;

/** Classifies an error, or what caused it; undefined when it is not the database's state that failed. */
export function databaseFault(err: unknown): DatabaseFault | undefined {
  for (let cause = err; cause instanceof Error; cause = next(cause)) {
    const code = codeOf(cause);
    if (LOCKED.has(code)) return 'locked';
    if (UNAVAILABLE_STATES.test(code) || UNAVAILABLE_PRISMA.has(code)) return 'unavailable';
    if (UNAVAILABLE_KINDS.has(code) || NETWORK.has(code) || PG_MESSAGES.test(cause.message)) return 'unavailable';
  }
  return undefined;
}

const codeOf = (err: Error): string => ('code' in err && typeof err.code === 'string' ? err.code : '');

/** The cause, also where Prisma's driver adapter keeps it. */
function next(err: Error): unknown {
  if (err.cause instanceof Error) return err.cause;
  const meta = 'meta' in err ? (err.meta as { driverAdapterError?: unknown } | undefined) : undefined;
  if (meta?.driverAdapterError instanceof Error) return meta.driverAdapterError;
  if (typeof err.cause !== 'object' || err.cause === null) return undefined;
  const { originalCode, originalMessage, kind } = err.cause as Record<string, string | undefined>;
  return Object.assign(new Error(originalMessage ?? ''), { code: originalCode ?? kind ?? '' });
}
