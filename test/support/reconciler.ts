import { setTimeout as sleep } from 'node:timers/promises';
import { reconcileAssignments } from '../../src/reconciler/assignments.ts';
import { type ReconcilerDependencies, reconcileOnboardings } from '../../src/reconciler/onboardings.ts';
import type { Tally } from '../../src/reconciler/verdicts.ts';
import type { TestDatabase } from './database.ts';
import { recordLog } from './log.ts';
import { createTestClient } from './temporal.ts';

const client = createTestClient();
/** Times are kept in milliseconds, rounded: what has just changed may lie in the future. */
const ROUNDING_MS = 5;

type Pass = (deps: ReconcilerDependencies) => Promise<Tally>;

/** One pass on a test's database and the real Temporal; without any patience. */
const passOf =
  (pass: Pass) =>
  async ({ pool, prisma }: TestDatabase, change: Partial<ReconcilerDependencies> = {}): Promise<Tally> => {
    await sleep(ROUNDING_MS);
    const { log } = recordLog();
    const wakeRelay = () => undefined;
    return pass({ pool, prisma, client, log, patienceMs: 0, enrichmentDelayMs: 50, wakeRelay, ...change });
  };

export const onboardingsPass = passOf(reconcileOnboardings);
export const assignmentsPass = passOf(reconcileAssignments);
