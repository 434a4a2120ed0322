import type { Client } from '@temporalio/client';
import type { Pool } from 'pg';
import { v7 as uuidv7 } from 'uuid';
import { assigneeNotificationWorkflowId, onboardingWorkflowId } from '../../workflows/contract.ts';
import { enrichmentWorkflowId } from '../../workflows/enrichment-contract.ts';
import type { PrismaClient } from '../db/generated/client.ts';
import type { Logger } from '../telemetry/logger.ts';
import { nameOf } from '../outbox/watch.ts';
import { claimWatched, lookLater, type WatchedRun } from './claim.ts';
import { hasEnded, latestRun, type LatestRun } from './latest-run.ts';
import { mendAssignment, mendEnrichment, mendOnboarding, type StoppedRun } from './mend.ts';
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

/** What there is to know of a kind of run: the workflow behind it, and what its end has left to do. */
interface Kind {
  workflowId: (seen: WatchedRun) => string;
  mend: (deps: ReconcilerDependencies, stopped: StoppedRun) => Promise<Verdict>;
}

const KINDS: Record<'onboarding' | 'assignment' | 'enrichment', Kind> = {
  onboarding: {
    workflowId: ({ leadId }) => onboardingWorkflowId(leadId),
    mend: ({ prisma, enrichmentDelayMs }, stopped) => mendOnboarding(prisma, stopped, enrichmentDelayMs),
  },
  assignment: {
    workflowId: ({ leadId, run }) => assigneeNotificationWorkflowId(leadId, Number(nameOf(run))),
    mend: ({ prisma }, stopped) => mendAssignment(prisma, stopped),
  },
  enrichment: {
    workflowId: ({ leadId, run }) => enrichmentWorkflowId(leadId, nameOf(run)),
    mend: ({ prisma }, stopped) => mendEnrichment(prisma, stopped),
  },
};

const kindOf = ({ run }: WatchedRun): Kind => KINDS[run.split('-', 1)[0] as keyof typeof KINDS];

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
  const run = await latestRun(client, kindOf(seen).workflowId(seen));
  return hasEnded(run) ? run : undefined;
}

async function mend(deps: ReconcilerDependencies, seen: WatchedRun, run: LatestRun): Promise<Verdict> {
  const stopped = { ...seen, latest: run, requestId: `reconciler-${uuidv7()}` };
  const verdict = await kindOf(seen).mend(deps, stopped);
  const { leadId, organizationId, requestId } = stopped;
  const line = { leadId, organizationId, watched: seen.run, round: seen.round, run: run.status, requestId };
  if (verdict !== 'under way') deps.log.warn(line, `stood still: ${verdict}`);
  return verdict;
}

/** By the database's clock, which also wrote the times that are compared with it. */
async function endOfPatience(pool: Pool, patienceMs: number): Promise<Date> {
  const { rows } = await pool.query<{ before: Date }>(
    `SELECT clock_timestamp() - $1 * interval '1 millisecond' AS before`,
    [patienceMs],
  );
  return rows[0]?.before ?? new Date(0);
}
