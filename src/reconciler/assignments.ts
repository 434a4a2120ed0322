import { v7 as uuidv7 } from 'uuid';
import { assigneeNotificationWorkflowId } from '../../workflows/contract.ts';
import { hasEnded, latestRun, type LatestRun } from './latest-run.ts';
import type { ReconcilerDependencies } from './onboardings.ts';
import { notifyAgain, type UnnotifiedAssignment, unnotifiedAssignments } from './unnotified.ts';
import { emptyTally, type Judge, judgePage, leftAlone, type Tally, type Verdict } from './verdicts.ts';

/** Assignments looked at together, with as many calls to Temporal under way. */
const PAGE = 50;
/** A pass ends when it has looked at so many in vain. */
const MAX_LEFT_ALONE = 200;

/**
 * One pass over the later assignees of leads who were not told within some patience. One whose run is missing or has
 * ended is told once more, and only once: a notification is unique on lead and assignment.
 * @returns how many assignments got which verdict
 * @throws the client's or the database's error: the rest waits for the next pass
 */
export async function reconcileAssignments(deps: ReconcilerDependencies, signal?: AbortSignal): Promise<Tally> {
  const { pool, log, patienceMs } = deps;
  const tally = emptyTally();
  const judge: Judge<UnnotifiedAssignment> = {
    findEnded: (seen) => findEnded(deps, seen),
    mend: (seen, run) => mend(deps, seen, run),
    log,
  };
  for (;;) {
    const assignments = await unnotifiedAssignments(pool, { limit: PAGE, patienceMs });
    await judgePage(assignments, judge, tally);
    if (tally['ordered again'] > 0) deps.wakeRelay();
    if (assignments.length < PAGE || leftAlone(tally) >= MAX_LEFT_ALONE || signal?.aborted) return tally;
  }
}

async function findEnded(
  { client }: ReconcilerDependencies,
  seen: UnnotifiedAssignment,
): Promise<LatestRun | undefined> {
  const run = await latestRun(client, assigneeNotificationWorkflowId(seen.leadId, seen.assignment));
  return hasEnded(run) ? run : undefined;
}

async function mend(deps: ReconcilerDependencies, seen: UnnotifiedAssignment, run: LatestRun): Promise<Verdict> {
  const requestId = `reconciler-${uuidv7()}`;
  if (!(await notifyAgain(deps.prisma, seen, requestId))) return 'under way';
  deps.log.warn({ ...seen, run: run.status, requestId }, 'assignee not told: ordered again');
  return 'ordered again';
}
