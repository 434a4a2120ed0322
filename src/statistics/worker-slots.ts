import { type Client, isGrpcServiceError } from '@temporalio/client';
import { optionalTsToMs } from '@temporalio/common/lib/time.js';
import type { TaskQueue } from '../../workflows/contract.ts';
import { isWorkflowQueue } from '../temporal/task-queue-type.ts';

const UNIMPLEMENTED = 12; // gRPC's status
const RUNNING = 1; // temporal.api.enums.v1.WorkerStatus.WORKER_STATUS_RUNNING
/** Six times what lies between two heartbeats of a worker. Temporal goes on naming one that died for a day. */
const HEARD_WITHIN_MS = 30_000;
/** One that had work in hand when it was last heard may only be slow to say more: who counts it out puts it to sleep. */
const BUSY_HEARD_WITHIN_MS = 90_000;
const PAGE = 1_000;
/** Workers of a queue that are kept one by one; all of them count. */
const MAX_WORKERS = 200;

/** Of the workers of a task queue that run, all together. */
export interface Slots {
  workers: number;
  used: number;
  total: number;
}

/** One of them. */
export interface SeenWorker {
  /** As Temporal calls it: process and host. */
  identity: string;
  /** Its `WORKER_BUILD_ID`. */
  version: string | null;
  slotsUsed: number;
  slots: number;
  lastSeenAt: string;
}

/** Reads what workers last said of themselves. @returns undefined where the server has no such call, or it is off */
export async function readSlots(
  client: Client,
  taskQueue: TaskQueue,
): Promise<{ slots: Slots; seen: SeenWorker[]; everHeard: boolean } | undefined> {
  const slots: Slots = { workers: 0, used: 0, total: 0 };
  const seen: SeenWorker[] = [];
  let everHeard = false;
  try {
    for await (const heartbeat of heartbeatsOf(client, taskQueue)) {
      everHeard = true;
      const heardAt = optionalTsToMs(heartbeat.heartbeatTime) ?? 0;
      const { workflowTaskSlotsInfo, activityTaskSlotsInfo } = heartbeat;
      const own = isWorkflowQueue(taskQueue) ? workflowTaskSlotsInfo : activityTaskSlotsInfo;
      const used = own?.currentUsedSlots ?? 0;
      const isHeard = Date.now() - heardAt <= (used > 0 ? BUSY_HEARD_WITHIN_MS : HEARD_WITHIN_MS);
      if ((heartbeat.status as number) !== RUNNING || !isHeard) continue;
      const total = used + (own?.currentAvailableSlots ?? 0);
      slots.workers += 1;
      slots.used += used;
      slots.total += total;
      if (seen.length === MAX_WORKERS) continue;
      const { deploymentName, buildId } = heartbeat.deploymentVersion ?? {}; // without a deployment it is the SDK's
      seen.push({
        identity: heartbeat.workerIdentity ?? '',
        version: (deploymentName && buildId) || null,
        slotsUsed: used,
        slots: total,
        lastSeenAt: new Date(heardAt).toISOString(),
      });
    }
  } catch (err) {
    if (isGrpcServiceError(err) && (err.code as number) === UNIMPLEMENTED) return undefined;
    throw err;
  }
  return { slots, seen, everHeard };
}

async function* heartbeatsOf(client: Client, taskQueue: TaskQueue) {
  let nextPageToken = new Uint8Array();
  do {
    const page = await client.connection.workflowService.listWorkers({
      namespace: client.options.namespace,
      query: `TaskQueue = '${taskQueue}'`,
      pageSize: PAGE,
      nextPageToken,
    });
    for (const { workerHeartbeat } of page.workersInfo) if (workerHeartbeat) yield workerHeartbeat;
    nextPageToken = new Uint8Array(page.nextPageToken);
  } while (nextPageToken.length > 0);
}
