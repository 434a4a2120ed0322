import type { Client } from '@temporalio/client';
import { optionalTsToMs } from '@temporalio/common/lib/time.js';
import type { TaskQueue } from '../../workflows/contract.ts';
import { withDeadline } from '../temporal/connection.ts';
import { taskQueueTypeOf } from '../temporal/task-queue-type.ts';
import { readSlots, type SeenWorker, type Slots } from './worker-slots.ts';

/** A poll lasts a minute at most; Temporal goes on naming its poller for five. */
const POLLED_WITHIN_MS = 75_000;

/** Tasks that wait for a worker. Those that Temporal keeps for the worker that has the run in its cache are not counted. */
export interface Backlog {
  tasks: number;
  /** Of the oldest. */
  ageSeconds: number;
}

/** What Temporal says of a task queue. */
export interface TaskQueueStatistics extends Backlog {
  /** By Temporal's priority, from `1`, which goes first. */
  byPriority: Record<string, Backlog>;
  /** Tasks in a second, over the last half minute. */
  addRate: number;
  dispatchRate: number;
  /** Workers that have asked for a task of late. One whose slots are all taken asks for none. */
  pollers: number;
  /** Absent where the server, or its workers, do not tell. */
  slots?: Slots | undefined;
  /** The workers behind `slots`, or the first 200 of them. */
  workers?: SeenWorker[] | undefined;
}

/** @throws the client's errors */
export async function readTaskQueue(client: Client, taskQueue: TaskQueue): Promise<TaskQueueStatistics> {
  const { namespace } = client.options;
  const [described, heard] = await withDeadline(client, () =>
    Promise.all([
      client.connection.workflowService.describeTaskQueue({
        namespace,
        taskQueue: { name: taskQueue },
        taskQueueType: taskQueueTypeOf(taskQueue),
        reportStats: true,
      }),
      readSlots(client, taskQueue),
    ]),
  );
  const pollers = described.pollers.filter(
    ({ lastAccessTime }) => Date.now() - (optionalTsToMs(lastAccessTime) ?? 0) < POLLED_WITHIN_MS,
  ).length;
  // Somebody polls and nobody has ever been heard of: heartbeats are off, in the server or in the workers.
  const tells = heard !== undefined && (heard.everHeard || pollers === 0);
  return {
    ...backlogOf(described.stats),
    byPriority: Object.fromEntries(
      Object.entries(described.statsByPriorityKey).map(([priority, stats]) => [priority, backlogOf(stats)]),
    ),
    addRate: described.stats?.tasksAddRate ?? 0,
    dispatchRate: described.stats?.tasksDispatchRate ?? 0,
    pollers,
    ...(tells && { slots: heard.slots, workers: heard.seen }),
  };
}

type Described = Awaited<ReturnType<Client['connection']['workflowService']['describeTaskQueue']>>;

const backlogOf = (stats: Described['stats']): Backlog => ({
  tasks: Number(String(stats?.approximateBacklogCount ?? 0)),
  ageSeconds: (optionalTsToMs(stats?.approximateBacklogAge) ?? 0) / 1_000,
});
