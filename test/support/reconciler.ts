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

type Round = (deps: ReconcilerDependencies) => Promise<Tally>;

/** One round on a test's database and the real Temporal; without any patience. */
const roundOf =
  (round: Round) =>
  async ({ pool, prisma }: TestDatabase, change: Partial<ReconcilerDependencies> = {}): Promise<Tally> => {
    await sleep(ROUNDING_MS);
    const { log } = recordLog();
    const wakeRelay = () => undefined;
    return round({ pool, prisma, client, log, patienceMs: 0, enrichmentDelayMs: 50, wakeRelay, ...change });
  };

export const onboardingsRound = roundOf(reconcileOnboardings);
export const assignmentsRound = roundOf(reconcileAssignments);
