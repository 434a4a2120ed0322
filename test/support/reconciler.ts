import { setTimeout as sleep } from 'node:timers/promises';
import type { Tally } from '../../src/reconciler/verdicts.ts';
import { type ReconcilerDependencies, reconcileWatched } from '../../src/reconciler/watches.ts';
import type { TestDatabase } from './database.ts';
import { recordLog } from './log.ts';
import { createTestClient } from './temporal.ts';

const client = createTestClient();
/** Times are kept in milliseconds, rounded: what has just changed may lie in the future. */
const ROUNDING_MS = 5;

/** One pass on a test's database and the real Temporal; without any patience. */
export async function reconcilerPass(
  { pool, prisma }: TestDatabase,
  change: Partial<ReconcilerDependencies> = {},
): Promise<Tally> {
  await sleep(ROUNDING_MS);
  const { log } = recordLog();
  const wakeRelay = () => undefined;
  const deps = { pool, prisma, client, log, patienceMs: 0, enrichmentDelayMs: 50, wakeRelay };
  return reconcileWatched({ ...deps, ...change });
}
