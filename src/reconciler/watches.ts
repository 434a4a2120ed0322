import type { Client } from '@temporalio/client';
import pLimit from 'p-limit';
import type { Pool } from 'pg';
import { v7 as uuidv7 } from 'uuid';
import { assigneeNotificationWorkflowId, onboardingWorkflowId } from '../../workflows/contract.ts';
import { enrichmentWorkflowId } from '../../workflows/enrichment-contract.ts';
import { databaseFault } from '../db/faults.ts';
import type { PrismaClient } from '../db/generated/client.ts';
import { concernsAll, explainFailure } from '../outbox/failure.ts';
import { nameOf, WATCHED } from '../outbox/watch.ts';
import type { Logger } from '../telemetry/logger.ts';
import { claimWatched, lookLater, type WatchedRun } from './claim.ts';
import { hasEnded, latestRun, runningAmong } from './latest-run.ts';
import { mendAssignment, mendEnrichment, mendOnboarding, orderLostOnboardings, type StoppedRun } from './mend.ts';
import { emptyTally, type Tally, type Verdict } from './verdicts.ts';

/** Runs looked at together: visibility is asked once for all of them. */
const PAGE = 500;
/** Calls to Temporal under way at once, about the runs that visibility does not know to be running. */
const QUESTIONS = 50;

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

const workflowIdOf = (seen: WatchedRun): string => kindOf(seen).workflowId(seen);

/**
 * One pass over all that is watched and stands still. What has no run (Temporal lost its store), or one that has ended
 * without Postgres knowing, is ordered again; an onboarding that was to be canceled is closed. Any number of relays may
 * do so: each takes others. What cannot be mended holds up no other.
 * @returns how many got which verdict
 * @throws the client's or the database's error: the rest waits for the next pass
 */
export async function reconcileWatched(deps: ReconcilerDependencies, signal?: AbortSignal): Promise<Tally> {
  const { pool, patienceMs } = deps;
  const tally = emptyTally();
  const before = await endOfPatience(pool, patienceMs);
  for (;;) {
    const runs = await claimWatched(pool, { before, limit: PAGE });
    for (const verdict of await judge(deps, runs)) tally[verdict] += 1;
    await lookLater(pool, runs);
    if (tally['ordered again'] > 0) deps.wakeRelay();
    if (runs.length < PAGE || signal?.aborted) return tally;
  }
}

/** Finds out which runs have stopped, and mends them. @returns a verdict for each run */
async function judge(deps: ReconcilerDependencies, runs: WatchedRun[]): Promise<Verdict[]> {
  const { client, log } = deps;
  const unordered = runs.filter(({ ordered }) => !ordered);
  const running = await findRunning(deps, unordered);
  const unsure = unordered.filter((seen) => seen.long || !running.has(workflowIdOf(seen)));
  const atOnce = pLimit(QUESTIONS);
  const ask = (seen: WatchedRun) => atOnce(() => latestRun(client, workflowIdOf(seen)));
  const answers = await Promise.allSettled(unsure.map(ask));

  const verdicts = Array.from({ length: runs.length - unsure.length }, (): Verdict => 'under way');
  const stopped: StoppedRun[] = [];
  for (const [index, answer] of answers.entries()) {
    const seen = unsure[index] as WatchedRun;
    if (answer.status === 'rejected') verdicts.push(reported(log, seen, answer.reason));
    else if (!hasEnded(answer.value)) verdicts.push('under way');
    else stopped.push({ ...seen, latest: answer.value, requestId: `reconciler-${uuidv7()}` });
  }
  return [...verdicts, ...(await mendAll(deps, stopped))];
}

/** Asks visibility, which saves a question for each run; without it they are all asked for. */
async function findRunning({ client, log }: ReconcilerDependencies, runs: WatchedRun[]): Promise<Set<string>> {
  try {
    return await runningAmong(client, runs.map(workflowIdOf));
  } catch (err) {
    if (concernsAll(explainFailure(err).kind)) throw err;
    log.warn({ err }, 'visibility does not answer: each run is asked for');
    return new Set();
  }
}

/** Does in Postgres what the end of the runs has left to do: together where that will do, else one by one. */
async function mendAll(deps: ReconcilerDependencies, stopped: StoppedRun[]): Promise<Verdict[]> {
  const ordered = await orderTogether(deps, stopped);
  const verdicts: Verdict[] = [];
  for (const run of stopped) {
    const isOrdered = run.run === WATCHED.onboarding && ordered.has(run.leadId);
    verdicts.push(isOrdered ? told(deps.log, run, 'ordered again') : await mend(deps, run));
  }
  return verdicts;
}

async function orderTogether(deps: ReconcilerDependencies, stopped: StoppedRun[]): Promise<Set<string>> {
  const onboardings = stopped.filter(({ run }) => run === WATCHED.onboarding);
  try {
    return await orderLostOnboardings(deps.prisma, onboardings, deps.enrichmentDelayMs);
  } catch (err) {
    throwIfOfAll(err);
    return new Set(); // one of them fails all: it is found where they are taken one by one
  }
}

async function mend(deps: ReconcilerDependencies, run: StoppedRun): Promise<Verdict> {
  try {
    return told(deps.log, run, await kindOf(run).mend(deps, run));
  } catch (err) {
    return reported(deps.log, run, err);
  }
}

function told(log: Logger, { leadId, organizationId, requestId, run, round, latest }: StoppedRun, verdict: Verdict) {
  const line = { leadId, organizationId, watched: run, round, run: latest.status, requestId };
  if (verdict !== 'under way') log.warn(line, `stood still: ${verdict}`);
  return verdict;
}

/** @throws the error, when it is one of Temporal or the database as a whole */
function reported(log: Logger, { leadId }: WatchedRun, err: unknown): Verdict {
  throwIfOfAll(err);
  log.error({ leadId, err }, 'lead not reconciled');
  return 'reported';
}

function throwIfOfAll(err: unknown): void {
  if (concernsAll(explainFailure(err).kind) || databaseFault(err)) throw err;
}

/** By the database's clock, which also wrote the times that are compared with it. */
async function endOfPatience(pool: Pool, patienceMs: number): Promise<Date> {
  const { rows } = await pool.query<{ before: Date }>(
    `SELECT clock_timestamp() - $1 * interval '1 millisecond' AS before`,
    [patienceMs],
  );
  return rows[0]?.before ?? new Date(0);
}
