import type { Prisma } from '../../db/generated/client.ts';
import type { StepEnd } from '../../temporal/step-metrics.ts';

/** Attempts of a lead that are answered; one that fails for days has thousands. */
const MAX_SHOWN = 200;

/** The newest attempts of a lead's steps, the oldest of them first. None are known of a lead that was erased. */
export async function readAttempts(db: Prisma.TransactionClient, leadId: string) {
  const rows = await db.stepAttempt.findMany({
    where: { leadId },
    orderBy: [{ startedAt: 'desc' }, { runId: 'desc' }, { activityId: 'desc' }],
    take: MAX_SHOWN,
  });
  return rows.reverse().map(({ scheduledAt, startedAt, endedAt, ...row }) => ({
    step: row.step,
    taskQueue: row.taskQueue,
    worker: row.worker,
    runId: row.runId,
    attempt: row.attempt,
    waitedMs: Math.max(0, startedAt.getTime() - scheduledAt.getTime()),
    startedAt: startedAt.toISOString(),
    endedAt: endedAt.toISOString(),
    durationMs: endedAt.getTime() - startedAt.getTime(),
    outcome: row.outcome as StepEnd['outcome'],
    error: row.errorType === null ? null : { type: row.errorType, message: row.reason ?? '' },
  }));
}
