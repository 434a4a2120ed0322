import type { Client } from '@temporalio/client';
import type { Pool } from 'pg';
import { TASK_QUEUES, type TaskQueue } from '../../workflows/contract.ts';
import type { Lease } from '../db/lease.ts';
import { storeStatistics } from './store.ts';
import { readTaskQueue } from './task-queue.ts';

export interface StatisticsDependencies {
  pool: Pool;
  readonly client: Client;
  /** Of the relays, the one that has it reads for all. */
  lease: Lease;
}

/**
 * Reads what Temporal says of all task queues and keeps it where every relay finds it, if this relay leads.
 * @returns whether it does
 * @throws what went wrong with one queue, when the others are kept
 */
export async function readStatistics({ pool, client, lease }: StatisticsDependencies): Promise<boolean> {
  if (!(await lease.take())) return false;
  const readAndStore = async (taskQueue: TaskQueue) =>
    storeStatistics(pool, taskQueue, await readTaskQueue(client, taskQueue));
  const results = await Promise.allSettled(Object.values(TASK_QUEUES).map(readAndStore));
  const failed = results.find((result) => result.status === 'rejected');
  if (failed) throw failed.reason;
  return true;
}
