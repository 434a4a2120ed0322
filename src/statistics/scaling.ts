import type { Pool } from 'pg';
import { TASK_QUEUES } from '../../workflows/contract.ts';
import { databaseFault } from '../db/faults.ts';
import { loadStatistics } from './store.ts';

/** The part of their slots that workers are to have in use: the rest is for what comes before the next worker is up. */
const TARGET_LOAD = 0.75;

/** What an autoscaler needs to know of a task queue. */
export interface Scaling {
  queue: string;
  /** Workers that there should be. */
  desired: number;
  slotsUsed: number;
  backlog: number;
  /** Null while no worker has ever said. */
  slotsPerWorker: number | null;
}

/** A queue that keeps up has no backlog: what its workers have in hand counts as well, or busy ones would be put to sleep. */
export function desiredWorkers({ slotsUsed, backlog, slotsPerWorker }: Omit<Scaling, 'queue' | 'desired'>): number {
  const load = slotsUsed + backlog;
  if (slotsPerWorker === null || slotsPerWorker === 0) return load > 0 ? 1 : 0; // the first one says how many it has
  return Math.ceil(load / (slotsPerWorker * TARGET_LOAD));
}

export type ScalingAnswer = { status: 200; body: Scaling } | { status: 404 | 503; body: { error: string } };

/**
 * Answers how many workers a task queue should have. Where that is not known it is an error, so that a scaler leaves the
 * workers as they are.
 */
export async function answerScaling(pool: Pool, queue: string): Promise<ScalingAnswer> {
  const taskQueue = Object.values(TASK_QUEUES).find((name) => name === queue);
  if (!taskQueue)
    return { status: 404, body: { error: `The task queues are ${Object.values(TASK_QUEUES).join(', ')}.` } };
  const unknown = (error: string): ScalingAnswer => ({ status: 503, body: { error } });
  try {
    const stored = await loadStatistics(pool, taskQueue);
    if (!stored) return unknown('No relay has read statistics of this task queue yet.');
    if (!stored.isFresh)
      return unknown('The statistics are older than a minute: no relay reads them, or Temporal is away.');
    const { slots, tasks: backlog } = stored.statistics;
    if (!slots) {
      return unknown(
        'Temporal does not tell how many slots are in use. On server 1.29 set frontend.WorkerHeartbeatsEnabled and ' +
          'frontend.ListWorkersEnabled; newer ones tell by default.',
      );
    }
    const known = { slotsUsed: slots.used, backlog, slotsPerWorker: stored.slotsPerWorker };
    return { status: 200, body: { queue, desired: desiredWorkers(known), ...known } };
  } catch (err) {
    if (!databaseFault(err)) throw err;
    return unknown('Postgres does not answer.');
  }
}
