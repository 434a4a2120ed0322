import type { Pool } from 'pg';
import type { TaskQueue } from '../../workflows/contract.ts';
import type { TaskQueueStatistics } from './task-queue.ts';

/** Past this they say nothing of now. */
const FRESH_S = 60;

/** What was last read of a task queue, by whichever relay. */
export interface StoredStatistics {
  statistics: TaskQueueStatistics;
  /** The last that was heard, though no worker may run now; null before the first was heard. */
  slotsPerWorker: number | null;
  isFresh: boolean;
  readAt: Date;
}

export async function storeStatistics(
  pool: Pool,
  taskQueue: TaskQueue,
  statistics: TaskQueueStatistics,
): Promise<void> {
  const { slots } = statistics;
  const slotsPerWorker = slots && slots.workers > 0 ? slots.total / slots.workers : null;
  await pool.query({
    name: 'store_statistics',
    text: `INSERT INTO task_queue_statistics AS s (task_queue, statistics, slots_per_worker) VALUES ($1, $2, $3)
           ON CONFLICT (task_queue) DO UPDATE SET statistics = EXCLUDED.statistics, read_at = EXCLUDED.read_at,
             slots_per_worker = coalesce(EXCLUDED.slots_per_worker, s.slots_per_worker)`,
    values: [taskQueue, JSON.stringify(statistics), slotsPerWorker],
  });
}

/** @returns undefined when nobody has read them yet */
export async function loadStatistics(pool: Pool, taskQueue: TaskQueue): Promise<StoredStatistics | undefined> {
  const { rows } = await pool.query<StoredStatistics>({
    name: 'load_statistics',
    text: `SELECT statistics, slots_per_worker AS "slotsPerWorker",
                  read_at > clock_timestamp() - ${FRESH_S} * interval '1 second' AS "isFresh",
                  read_at AS "readAt"
           FROM task_queue_statistics WHERE task_queue = $1`,
    values: [taskQueue],
  });
  return rows[0];
}
