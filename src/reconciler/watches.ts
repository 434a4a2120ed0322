import type { Client } from '@temporalio/client';
import type { Pool } from 'pg';
import { v7 as uuidv7 } from 'uuid';
import { assigneeNotificationWorkflowId, onboardingWorkflowId } from '../../workflows/contract.ts';
import { enrichmentWorkflowId } from '../../workflows/enrichment-contract.ts';
import type { PrismaClient } from '../db/generated/client.ts';
import type { Logger } from '../telemetry/logger.ts';
import { WATCHED } from '../outbox/watch.ts';
import { claimWatched, lookLater, type WatchedRun } from './claim.ts';
import { hasEnded, latestRun, type LatestRun } from './latest-run.ts';
import { mendAssignment, mendEnrichment, mendOnboarding } from './mend.ts';
import { emptyTally, type Judge, judgePage, leftAlone, type Tally, type Verdict } from './verdicts.ts';

/** Runs looked at together, with as many calls to Temporal under way. */
const PAGE = 50;
/** A pass ends when it has looked at so many in vain: a backlog of leads must not become a load on Temporal. */
const MAX_LEFT_ALONE = 1_000;

export interface ReconcilerDependencies {
  pool: Pool;
  prisma: PrismaClient;
  client: Client;
  log: Logger;
  /** Milliseconds for which a run may stand still without a question. */
  patienceMs: number;
  enrichmentDelayMs: number;
  /** Told when there are new orders. */
  wakeRelay: () => void;
}

/**
 * One pass over all that is watched and stands still. What has no run (Temporal lost its store), or one that has ended
 * without Postgres knowing, is ordered again; an onboarding that was to be canceled is closed. Any number of relays may
 * do so: each takes others.
 * @returns how many got which verdict
 * @throws the client's or the database's error: the rest waits for the next pass
 */
export async function reconcileWatched(deps: ReconcilerDependencies, signal?: AbortSignal): Promise<Tally> {
  const { pool, log, patienceMs } = deps;
  const tally = emptyTally();
  const judge: Judge<WatchedRun> = {
    findEnded: (seen) => findEnded(deps, seen),
    mend: (seen, run) => mend(deps, seen, run),
    log,
  };
  const before = await endOfPatience(pool, patienceMs);
  for (;;) {
    const runs = await claimWatched(pool, { before, limit: PAGE });
    await judgePage(runs, judge, tally);
    await lookLater(pool, runs);
    if (tally['ordered again'] > 0) deps.wakeRelay();
    if (runs.length < PAGE || leftAlone(tally) >= MAX_LEFT_ALONE || signal?.aborted) return tally;
  }
}

async function findEnded({ client }: ReconcilerDependencies, seen: WatchedRun): Promise<LatestRun | undefined> {
  if (seen.ordered) return undefined;
  const run = await latestRun(client, workflowIdOf(seen));
  return hasEnded(run) ? run : undefined;
}

function workflowIdOf({ leadId, run }: WatchedRun): string {
  if (run === WATCHED.onboarding) return onboardingWorkflowId(leadId);
  const [, kind, rest = ''] = /^([a-z]+)-(.*)$/.exec(run) ?? [];
  if (kind === 'assignment') return assigneeNotificationWorkflowId(leadId, Number(rest));
  return enrichmentWorkflowId(leadId, rest);
}

async function mend(deps: ReconcilerDependencies, seen: WatchedRun, run: LatestRun): Promise<Verdict> {
  const stopped = { ...seen, requestId: `reconciler-${uuidv7()}` };
  const verdict = await mendOne(deps, stopped, run);
  const { leadId, organizationId, requestId } = stopped;
  const line = { leadId, organizationId, watched: seen.run, round: seen.round, run: run.status, requestId };
  if (verdict !== 'under way') deps.log.warn(line, `stood still: ${verdict}`);
  return verdict;
}

function mendOne(
  { prisma, enrichmentDelayMs }: ReconcilerDependencies,
  stopped: WatchedRun & { requestId: string },
  run: LatestRun,
): Promise<Verdict> {
  if (stopped.run === WATCHED.onboarding) return mendOnboarding(prisma, { ...stopped, run }, enrichmentDelayMs);
  return stopped.run.startsWith('assignment-') ? mendAssignment(prisma, stopped) : mendEnrichment(prisma, stopped);
}

/** By the database's clock, which also wrote the times that are compared with it. */
async function endOfPatience(pool: Pool, patienceMs: number): Promise<Date> {
  const { rows } = await pool.query<{ before: Date }>(
    `SELECT clock_timestamp() - $1 * interval '1 millisecond' AS before`,
    [patienceMs],
  );
  return rows[0]?.before ?? new Date(0);
}
