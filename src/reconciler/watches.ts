import type { Client } from '@temporalio/client';
import pLimit from 'p-limit';
import type { Pool } from 'pg';
import { uuidv7 } from 'uuidv7';
import { assigneeNotificationWorkflowId, onboardingWorkflowId } from '../../workflows/contract.ts';
import { enrichmentWorkflowId } from '../../workflows/enrichment-contract.ts';
import { databaseFault } from '../db/faults.ts';
import type { PrismaClient } from '../db/generated/client.ts';
import { concernsAll, explainFailure } from '../outbox/failure.ts';
import { nameOf, WATCHED } from '../outbox/watch.ts';
import type { Logger } from '../telemetry/logger.ts';
import { claimWatched, lookLater, type WatchedRun } from './claim.ts';
import { hasEnded, knownAmong, latestRun, type LatestRun, MISSING } from './latest-run.ts';
import { mendAssignment, mendEnrichment, mendOnboarding, orderLostOnboardings, type StoppedRun } from './mend.ts';
import { emptyTally, type Tally, type Verdict } from './verdicts.ts';

/** Runs looked at together: visibility is asked once for all of them. */
const PAGE = 500;
/** Calls to Temporal under way at once, about single runs. */
const QUESTIONS = 50;
/** When Temporal has none of so many runs that visibility does not know, it has none of the others either. */
const SAMPLE = 10;

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
  /** Told what became of them, page by page. */
  onVerdicts?: ((tally: Tally) => void) | undefined;
}

/** What there is to know of a kind of run: the workflow behind it, and what its end has left to do. */
interface Kind {
  workflowId: (seen: Pick<WatchedRun, 'leadId' | 'run'>) => string;
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

const kindOf = ({ run }: Pick<WatchedRun, 'run'>): Kind => KINDS[run.split('-', 1)[0] as keyof typeof KINDS];

/** The workflow behind what is watched. */
export const workflowIdOf = (seen: Pick<WatchedRun, 'leadId' | 'run'>): string => kindOf(seen).workflowId(seen);

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
    const page = emptyTally();
    for (const verdict of await judge(deps, runs)) page[verdict] += 1;
    for (const verdict of Object.keys(page) as Verdict[]) tally[verdict] += page[verdict];
    deps.onVerdicts?.(page);
    await lookLater(pool, runs);
    if (tally['ordered again'] > 0) deps.wakeRelay();
    if (runs.length < PAGE || signal?.aborted) return tally;
  }
}

/** Finds out which runs have stopped, and mends them. @returns a verdict for each run */
async function judge(deps: ReconcilerDependencies, runs: WatchedRun[]): Promise<Verdict[]> {
  const verdicts: Verdict[] = [];
  const stopped: StoppedRun[] = [];
  for (const { seen, answer } of await findLatest(deps, runs)) {
    if (answer.status === 'rejected') verdicts.push(reported(deps.log, seen, answer.reason));
    else if (hasEnded(answer.value))
      stopped.push({ ...seen, latest: answer.value, requestId: `reconciler-${uuidv7()}` });
  }
  verdicts.push(...(await mendAll(deps, stopped)));
  const others = Array.from({ length: runs.length - verdicts.length }, (): Verdict => 'under way');
  return [...verdicts, ...others];
}

interface Asked {
  seen: WatchedRun;
  answer: PromiseSettledResult<LatestRun>;
}

/**
 * Finds the latest run of each, but of those that have an order, or a run that visibility knows to be under way and that
 * is not watched for long.
 */
async function findLatest({ client, log }: ReconcilerDependencies, runs: WatchedRun[]): Promise<Asked[]> {
  const atOnce = pLimit(QUESTIONS);
  const ask = async (some: WatchedRun[]): Promise<Asked[]> => {
    const answers = some.map((seen) => atOnce(() => latestRun(client, workflowIdOf(seen))));
    const settled = await Promise.allSettled(answers);
    return some.map((seen, index) => ({ seen, answer: settled[index] as PromiseSettledResult<LatestRun> }));
  };

  const unordered = runs.filter(({ ordered }) => !ordered);
  const known = await findKnown(client, log, unordered);
  if (!known) return ask(unordered);
  const ofKnown = unordered.filter((seen) => known.has(workflowIdOf(seen)));
  const unknown = unordered.filter((seen) => !known.has(workflowIdOf(seen)));
  const sample = await ask(unknown.slice(0, SAMPLE));
  const others = unknown.slice(SAMPLE);
  const areMissing = sample.every(({ answer }) => answer.status === 'fulfilled' && answer.value === MISSING);
  const missing = (seen: WatchedRun): Asked => ({ seen, answer: { status: 'fulfilled', value: MISSING } });
  return [
    ...(await ask(ofKnown.filter((seen) => seen.long || !known.get(workflowIdOf(seen))))),
    ...sample,
    ...(areMissing ? others.map(missing) : await ask(others)),
  ];
}

/** What visibility knows of runs, which saves a question for each; undefined when it does not answer. */
async function findKnown(client: Client, log: Logger, runs: WatchedRun[]): Promise<Map<string, boolean> | undefined> {
  try {
    return await knownAmong(client, runs.map(workflowIdOf));
  } catch (err) {
    if (concernsAll(explainFailure(err).kind)) throw err;
    log.warn({ err }, 'visibility does not answer: each run is asked for');
    return undefined;
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
