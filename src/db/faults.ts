import { ShareUsedUp } from './fair-share.ts';

/**
 * What an error of the database means to somebody who waits for an answer:
 * `refused`: it is down, overloaded or too slow, may be back soon, and has done nothing of what was asked;
 * `broken-off`: the same, but it had begun, and nobody knows how far it came;
 * `locked`: another transaction holds what this one needs.
 */
export type DatabaseFault = 'refused' | 'broken-off' | 'locked';

/** SQLSTATE classes and codes, https://www.postgresql.org/docs/current/errcodes-appendix.html */
const STATES: [DatabaseFault, RegExp][] = [
  ['locked', /^55P03$/],
  ['refused', /^(53...|57P03|57014|58...|40001|40P01|25P02|25006)$/],
  ['broken-off', /^(08...|57P..)$/],
];

/** Codes of Node, of Prisma (https://www.prisma.io/docs/orm/reference/error-reference) and kinds of its driver adapter. */
const CODES = new Map<string, DatabaseFault>([
  ...['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN'].map((code) => [code, 'refused'] as const),
  ...['P1001', 'P1002', 'P1011', 'P2024', 'P2034', 'P2037'].map((code) => [code, 'refused'] as const),
  ...['DatabaseNotReachable', 'TooManyConnections', 'TransactionWriteConflict'].map(
    (kind) => [kind, 'refused'] as const,
  ),
  ...['ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'EHOSTUNREACH', 'ENETUNREACH'].map((code) => [code, 'broken-off'] as const),
  ...['P1008', 'P1017', 'P2028', 'ConnectionClosed', 'SocketTimeout'].map((code) => [code, 'broken-off'] as const),
]);

/** node-postgres gives its own deadlines and broken connections no code. */
const MESSAGES: [DatabaseFault, RegExp][] = [
  ['refused', /^(timeout exceeded when trying to connect|Connection terminated due to connection timeout)/],
  ['broken-off', /^(Connection terminated|Client .* is not queryable$)/],
];
/** Classifies an error, or what caused it; undefined when it is not the database's state that failed. */
export function databaseFault(err: unknown): DatabaseFault | undefined {
  for (let cause = err; cause instanceof Error; cause = next(cause)) {
    if (cause instanceof ShareUsedUp) return 'refused';
    const code = codeOf(cause);
    const fault = find(STATES, code) ?? CODES.get(code) ?? find(MESSAGES, cause.message);
    if (fault) return fault;
  }
  return undefined;
}

/** Says whether Postgres has undone a transaction because it and another one waited for each other. */
export const isDeadlock = (err: unknown): boolean => err instanceof Error && codeOf(err) === '40P01';

const find = (table: [DatabaseFault, RegExp][], text: string) => table.find(([, pattern]) => pattern.test(text))?.[0];

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
