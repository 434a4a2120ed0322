import { type Client, isGrpcServiceError } from '@temporalio/client';
import { optionalTsToDate } from '@temporalio/common/lib/time.js';
import { TASK_QUEUES } from '../../workflows/contract.ts';
import type { Prisma } from '../db/generated/client.ts';
import { withDeadline } from '../temporal/connection.ts';
import { taskQueueTypeOf } from '../temporal/task-queue-type.ts';

/** Those of activities: without workflow tasks nothing could end, or be canceled. */
export const PAUSABLE_QUEUES = [TASK_QUEUES.notification, TASK_QUEUES.lead] as const;
export type PausableQueue = (typeof PAUSABLE_QUEUES)[number];

/** A reader waits this long for Temporal; what else is known is answered anyway. */
const READ_DEADLINE_MS = 1_000;
const UNIMPLEMENTED = 12; // gRPC's status
/** What Temporal is told in place of the reason, which may name a person: where the audit has it. */
const REFERENCE = /^audit ([\da-f-]{36})$/;

/** A Temporal server before 1.29 has no such thing. */
export class PauseUnknown extends Error {
  override name = 'PauseUnknown';
  constructor() {
    super('This Temporal server cannot pause a task queue: 1.29 and newer can.');
  }
}

/** Since when a queue gives out no task, who wanted it, and why. */
export interface Pause {
  since: string | null;
  reason: string;
  by: string;
}

/**
 * Lets a queue give out no task, or as many as before. It is kept by Temporal, for all workers, those too that come later.
 * @param change names the entry of the audit, and who acts
 * @returns how the queue stands now: who reads it at once may be told how it stood before
 * @throws PauseUnknown, the client's errors
 */
export async function setPaused(
  client: Client,
  db: Prisma.TransactionClient,
  queue: PausableQueue,
  paused: boolean,
  change: { auditId: string; keyId: string | null },
): Promise<Pause | null> {
  const update = {
    namespace: client.options.namespace,
    identity: change.keyId === null ? 'operator' : `operator key ${change.keyId}`,
    taskQueue: queue,
    taskQueueType: taskQueueTypeOf(queue),
    updateQueueRateLimit: {
      ...(paused && { rateLimit: { requestsPerSecond: 0 } }),
      reason: `audit ${change.auditId}`,
    },
  };
  const call = () => client.workflowService.updateTaskQueueConfig(update);
  const { config } = await withDeadline(client, call).catch((err: unknown) => {
    throw isGrpcServiceError(err) && (err.code as number) === UNIMPLEMENTED ? new PauseUnknown() : err;
  });
  return pauseOf(config, db);
}

/**
 * Reads from Temporal whether a queue is paused; somebody may have done it with other tools as well.
 * @returns null when it is not
 * @throws the client's errors
 */
export async function readPause(
  client: Client,
  db: Prisma.TransactionClient,
  queue: PausableQueue,
): Promise<Pause | null> {
  const { config } = await withDeadline(
    client,
    () =>
      client.workflowService.describeTaskQueue({
        namespace: client.options.namespace,
        taskQueue: { name: queue },
        taskQueueType: taskQueueTypeOf(queue),
        reportConfig: true,
      }),
    READ_DEADLINE_MS,
  );
  return pauseOf(config, db);
}

type Config = Awaited<ReturnType<Client['workflowService']['updateTaskQueueConfig']>>['config'];

async function pauseOf(config: Config, db: Prisma.TransactionClient): Promise<Pause | null> {
  const limit = config?.queueRateLimit;
  if (!limit?.rateLimit || (limit.rateLimit.requestsPerSecond ?? 0) > 0) return null;
  const { reason = '', updateIdentity: by = '', updateTime } = limit.metadata ?? {};
  const since = optionalTsToDate(updateTime)?.toISOString() ?? null;
  const [, auditId] = REFERENCE.exec(reason ?? '') ?? [];
  const entry = auditId === undefined ? null : await db.operatorAction.findUnique({ where: { id: auditId } });
  return { since, reason: entry?.reason ?? reason ?? '', by: by ?? '' };
}
