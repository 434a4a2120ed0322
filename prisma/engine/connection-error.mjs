import { DriverAdapterError } from '@prisma/driver-adapter-utils';

/**
 * Prisma's codes for what keeps a command from its database, https://www.prisma.io/docs/orm/reference/error-reference.
 * @type {Record<string, string>}
 */
const CODES = {
  AuthenticationFailed: 'P1000',
  DatabaseNotReachable: 'P1001',
  SocketTimeout: 'P1002',
  DatabaseDoesNotExist: 'P1003',
  DatabaseAccessDenied: 'P1010',
  TlsConnectionError: 'P1011',
  ConnectionClosed: 'P1017',
  TooManyConnections: 'P2037',
};

/**
 * What an error of the adapter says beyond the engine's message: a code, and the words of Postgres.
 * @param {unknown} error
 */
export function describeConnectionError(error) {
  const code = error instanceof DriverAdapterError ? CODES[error.cause.kind] : undefined;
  return code === undefined
    ? undefined
    : { code, reason: /** @type {DriverAdapterError} */ (error).cause.originalMessage };
}

/**
 * Prisma's adapter does not recognize all the ways in which a server cannot be reached: its deadlines have no code, and
 * a name with several addresses gives one error for all of them.
 * @param {unknown} error
 * @param {string} url
 */
export function asUnreachable(error, url) {
  if (error instanceof DriverAdapterError || !(error instanceof Error)) return error;
  const isNetwork = 'code' in error && typeof error.code === 'string' && /^E[A-Z_]+$/.test(error.code);
  if (!isNetwork && !/timeout|terminated/i.test(error.message)) return error;
  const { hostname, port } = new URL(url);
  return new DriverAdapterError({ kind: 'DatabaseNotReachable', host: hostname, port: Number(port || 5432) });
}
