import type { Client } from '@temporalio/client';
import type { Pool } from 'pg';
import { TASK_QUEUES, type TaskQueue } from '../../workflows/contract.ts';
import type { PrismaClient } from '../db/generated/client.ts';
import { readDatabase } from '../statistics/database.ts';
import { loadStatistics } from '../statistics/store.ts';
import { type Pause, PAUSABLE_QUEUES, readPause } from './pause.ts';

/** Failures that are counted, the newest: a day of an outage may have more. */
const COUNTED = 10_000;

interface Failed {
  minute: number;
  hour: number;
  day: number;
}

/** The queue that a step runs on. What only decides has no step. */
const STEPS: Record<TaskQueue, readonly string[]> = {
  [TASK_QUEUES.onboarding]: [],
  [TASK_QUEUES.notification]: ['notify'],
  [TASK_QUEUES.lead]: ['enrich', 'score', 'unknown'],
  [TASK_QUEUES.webhook]: [],
};

export interface QueueSources {
  pool: Pool;
  prisma: PrismaClient;
  client: Client;
}

/** Each task queue: what waits, who works, what failed; and what Postgres has not handed to Temporal yet. */
export async function readQueues({ pool, prisma, client }: QueueSources) {
  const [failed, { orders, onboardings }, queues] = await Promise.all([
    countFailed(pool),
    readDatabase(pool),
    Promise.all(
      Object.values(TASK_QUEUES).map(async (queue) => ({
        queue,
        stored: await loadStatistics(pool, queue),
        paused: await pauseOf(client, prisma, queue),
      })),
    ),
  ]);
  return {
    queues: queues.map(({ queue, stored, paused }) => ({
      queue,
      ...described(stored),
      failed: STEPS[queue].length === 0 ? null : sumOf(STEPS[queue].flatMap((step) => failed.get(step) ?? [])),
      paused,
    })),
    orders,
    onboardings,
  };
}

function described(stored: Awaited<ReturnType<typeof loadStatistics>>) {
  if (!stored) return { readAt: null, fresh: false, waiting: null, active: null, rates: null, workers: null };
  const { statistics, readAt, isFresh } = stored;
  const { slots, workers = [] } = statistics;
  return {
    readAt: readAt.toISOString(),
    fresh: isFresh,
    waiting: {
      tasks: statistics.tasks,
      oldestSeconds: statistics.ageSeconds,
      byPriority: Object.entries(statistics.byPriority)
        .map(([priority, { tasks, ageSeconds }]) => ({ priority: Number(priority), tasks, oldestSeconds: ageSeconds }))
        .filter(({ tasks }) => tasks > 0),
    },
    active: slots ? { slotsUsed: slots.used, slots: slots.total } : null,
    rates: { addedPerSecond: statistics.addRate, takenPerSecond: statistics.dispatchRate },
    workers: slots ? { count: slots.workers, seen: workers } : null,
  };
}

/** @returns `unknown` while Temporal does not answer; null for a queue that is not, or cannot be, paused */
async function pauseOf(client: Client, prisma: PrismaClient, queue: TaskQueue): Promise<Pause | null | 'unknown'> {
  const pausable = PAUSABLE_QUEUES.find((name) => name === queue);
  return pausable ? readPause(client, prisma, pausable).catch(() => 'unknown' as const) : null;
}

/** Steps that gave up of late, and whose leads stand so: one index, and 10,000 rows at most. */
async function countFailed(pool: Pool): Promise<Map<string, Failed>> {
  const { rows } = await pool.query<Failed & { step: string }>(
    `SELECT step, count(*) FILTER (WHERE at >= now() - interval '1 minute')::int AS minute,
            count(*) FILTER (WHERE at >= now() - interval '1 hour')::int AS hour, count(*)::int AS day
     FROM (SELECT step, at FROM onboarding_failure WHERE at >= now() - interval '1 day'
           ORDER BY at DESC LIMIT ${COUNTED}) AS f GROUP BY step`,
  );
  return new Map(rows.map(({ step, ...failed }) => [step, failed]));
}

const sumOf = (counts: Failed[]): Failed =>
  counts.reduce(
    (sum, { minute, hour, day }) => ({ minute: sum.minute + minute, hour: sum.hour + hour, day: sum.day + day }),
    {
      minute: 0,
      hour: 0,
      day: 0,
    },
  );
