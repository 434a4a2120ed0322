import type { Client } from '@temporalio/client';
import type { Pool } from 'pg';
import { TASK_QUEUES, type TaskQueue } from '../../workflows/contract.ts';
import type { Lease } from '../db/lease.ts';
import { readDatabase } from './database.ts';
import type { StatisticsGauges } from './gauges.ts';
import { storeStatistics } from './store.ts';
import { readTaskQueue } from './task-queue.ts';

export interface StatisticsDependencies {
  pool: Pool;
  readonly client: Client;
  /** Of the relays, the one that has it reads for all. */
  lease: Lease;
  /** Absent where nothing is measured. */
  gauges?: StatisticsGauges | undefined;
}

/**
 * Reads what Temporal and Postgres say of the work under way and keeps it where every relay finds it, if this relay leads.
 * @returns whether it does
 * @throws what went wrong with one part, when the others are kept
 */
export async function readStatistics({ pool, client, lease, gauges }: StatisticsDependencies): Promise<boolean> {
  const leads = await lease.take().catch((err: unknown) => {
    gauges?.clear(); // another one may lead now
    throw err;
  });
  if (!leads) {
    gauges?.clear();
    return false;
  }
  const readQueue = async (taskQueue: TaskQueue) => {
    const statistics = await readTaskQueue(client, taskQueue);
    gauges?.showQueue(taskQueue, statistics);
    await storeStatistics(pool, taskQueue, statistics);
  };
  const results = await Promise.allSettled(Object.values(TASK_QUEUES).map(readQueue));
  if (gauges) gauges.showDatabase(await readDatabase(pool));
  const failed = results.find((result) => result.status === 'rejected');
  if (failed) throw failed.reason;
  gauges?.noteRead();
  return true;
}
