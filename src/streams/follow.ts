import { databaseFault } from '../db/faults.ts';

/** Milliseconds between two reads without a cause, in case that what would have been one was lost. */
export const QUIET_MS = 15_000;
/** After a read that the database refused. */
export const RETRY_MS = 1_000;

/** Takes a fault of the database for a read that found nothing. @throws anything else */
export function ignoreOutage(err: unknown): undefined {
  if (!databaseFault(err)) throw err;
}
