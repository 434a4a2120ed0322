import { type Client, isGrpcServiceError } from '@temporalio/client';
import { optionalTsToDate } from '@temporalio/common/lib/time.js';
import { TASK_QUEUES } from '../../workflows/contract.ts';
import type { Prisma } from '../db/generated/client.ts';
import { withDeadline } from '../temporal/connection.ts';
import { taskQueueTypeOf } from '../temporal/task-queue-type.ts';

/** Those of activities: without workflow tasks nothing could end, or be canceled. */
export const LIMITABLE_QUEUES = [TASK_QUEUES.notification, TASK_QUEUES.lead, TASK_QUEUES.webhook] as const;
export type LimitableQueue = (typeof LIMITABLE_QUEUES)[number];

/** A reader waits this long for Temporal; what else is known is answered anyway. */
const READ_DEADLINE_MS = 1_000;
const UNIMPLEMENTED = 12; // gRPC's status
/** CANCELLED, DEADLINE_EXCEEDED, UNAVAILABLE: no answer came, whatever Temporal has done. */
const UNANSWERED = new Set([1, 4, 14]);
/** What Temporal is told in place of the reason, which may name a person: where the audit has it. */
const REFERENCE = /^audit ([\da-f-]{36})$/;

/** A Temporal server before 1.29 has no such thing. */
export class LimitUnknown extends Error {
  override name = 'LimitUnknown';
  constructor() {
    super('This Temporal server cannot pause or slow a task queue: 1.29 and newer can.');
  }
}

/** Says whether nobody knows if Temporal took what was asked. */
export const isUnanswered = (err: unknown): boolean => isGrpcServiceError(err) && UNANSWERED.has(err.code);

/** How many tasks a queue gives out at most, none while it is paused; since when, who wanted it, and why. */
export interface Limit {
  perSecond: number;
  since: string | null;
  reason: string;
  by: string;
}

/**
 * Lets a queue give out so many tasks a second, none at all, or as many as it can. It is kept by Temporal, for all
 * workers, those too that come later.
 * @param perSecond null for as many as it can
 * @param change names the entry of the audit, its reason, and who acts
 * @returns how the queue stands now: who reads it at once may be told how it stood before
 * @throws LimitUnknown, the client's errors
 */
export async function setLimit(
  client: Client,
  queue: LimitableQueue,
  perSecond: number | null,
  change: { auditId: string; keyId: string | null; reason: string },
): Promise<Limit | null> {
  const update = {
    namespace: client.options.namespace,
    identity: change.keyId === null ? 'operator' : `operator key ${change.keyId}`,
    taskQueue: queue,
    taskQueueType: taskQueueTypeOf(queue),
    updateQueueRateLimit: {
      ...(perSecond !== null && { rateLimit: { requestsPerSecond: perSecond } }),
      reason: `audit ${change.auditId}`,
    },
  };
  const call = () => client.workflowService.updateTaskQueueConfig(update);
  const { config } = await withDeadline(client, call).catch((err: unknown) => {
    throw isGrpcServiceError(err) && (err.code as number) === UNIMPLEMENTED ? new LimitUnknown() : err;
  });
  const limit = limitOf(config);
  return limit && { ...limit, reason: change.reason };
}

/**
 * Reads from Temporal whether a queue is paused or slowed; somebody may have done it with other tools as well.
 * @returns null when it is not
 * @throws the client's errors
 */
export async function readLimit(
  client: Client,
  db: Prisma.TransactionClient,
  queue: LimitableQueue,
): Promise<Limit | null> {
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
  const limit = limitOf(config);
  const [, auditId] = REFERENCE.exec(limit?.reason ?? '') ?? [];
  const entry = auditId === undefined ? null : await db.operatorAction.findUnique({ where: { id: auditId } });
  return limit && { ...limit, reason: entry?.reason ?? limit.reason };
}

type Config = Awaited<ReturnType<Client['workflowService']['updateTaskQueueConfig']>>['config'];

/** As Temporal has it. */
function limitOf(config: Config): Limit | null {
  const limit = config?.queueRateLimit;
  if (!limit?.rateLimit) return null;
  const perSecond = limit.rateLimit.requestsPerSecond ?? 0;
  const { reason, updateIdentity: by, updateTime } = limit.metadata ?? {};
  return { perSecond, since: optionalTsToDate(updateTime)?.toISOString() ?? null, reason: reason ?? '', by: by ?? '' };
}
