import { v7 as uuidv7 } from 'uuid';
import { assigneeNotificationWorkflowId } from '../../workflows/contract.ts';
import { hasEnded, latestRun } from './latest-run.ts';
import type { ReconcilerDependencies } from './onboardings.ts';
import { notifyAgain, type UnnotifiedAssignment, unnotifiedAssignments } from './unnotified.ts';
import { emptyTally, judgeAll, type Tally, type Verdict } from './verdicts.ts';

/** Assignments looked at together, with as many calls to Temporal under way. */
const PAGE = 50;
/** A round ends when so many were left alone. */
const MAX_LEFT_ALONE = 200;

/**
 * One round over the later assignees of leads who were not told within some patience. One whose run is missing or has
 * ended is told once more, and only once: a notification is unique on lead and assignment.
 * @returns how many assignments got which verdict
 * @throws the client's or the database's error: the rest waits for the next round
 */
export async function reconcileAssignments(deps: ReconcilerDependencies, signal?: AbortSignal): Promise<Tally> {
  const { pool, log, patienceMs } = deps;
  const tally = emptyTally();
  for (;;) {
    const assignments = await unnotifiedAssignments(pool, { limit: PAGE, patienceMs });
    await judgeAll(assignments, (assignment) => judge(deps, assignment), { tally, log });
    if (tally['ordered again'] > 0) deps.wakeRelay();
    const leftAlone = tally['under way'] + tally.reported;
    if (assignments.length < PAGE || leftAlone >= MAX_LEFT_ALONE || signal?.aborted) return tally;
  }
}

async function judge(deps: ReconcilerDependencies, seen: UnnotifiedAssignment): Promise<Verdict> {
  const { leadId, assignment } = seen;
  const workflowId = assigneeNotificationWorkflowId(leadId, assignment);
  const run = await latestRun(deps.client, workflowId);
  if (!hasEnded(run)) return 'under way';
  const requestId = `reconciler-${uuidv7()}`;
  if (!(await notifyAgain(deps.prisma, seen, requestId))) return 'under way';
  deps.log.warn({ leadId, assignment, workflowId, run: run.status, requestId }, 'assignee not told: ordered again');
  return 'ordered again';
}
