import type { Client } from '@temporalio/client';
import type { Pool } from 'pg';
import { TASK_QUEUES, type TaskQueue } from '../../workflows/contract.ts';
import type { PrismaClient } from '../db/generated/client.ts';
import { readDatabase } from '../statistics/database.ts';
import { loadStatistics } from '../statistics/store.ts';
import { type Limit, LIMITABLE_QUEUES, readLimit } from './queue-limit.ts';

/** Failures that are counted, the newest: a day of an outage may have more. */
const COUNTED = 10_000;
/** Attempts that are measured, the newest of all queues. */
const MEASURED = 20_000;

/** Of the last minute, hour and day. */
interface Counts {
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
  const [failed, measured, { orders, onboardings }, queues] = await Promise.all([
    countFailed(pool),
    measureAttempts(pool),
    readDatabase(pool),
    Promise.all(
      Object.values(TASK_QUEUES).map(async (queue) => ({
        queue,
        stored: await loadStatistics(pool, queue),
        limit: await limitOf(client, prisma, queue),
      })),
    ),
  ]);
  return {
    queues: queues.map(({ queue, stored, limit }) => ({
      queue,
      ...described(stored),
      failed: STEPS[queue].length === 0 ? null : sumOf(STEPS[queue].flatMap((step) => failed.get(step) ?? [])),
      ...(measured.get(queue) ?? { done: null, seconds: null }),
      limit,
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

/** @returns `unknown` while Temporal does not answer; null for a queue that has, or can have, no limit */
async function limitOf(client: Client, prisma: PrismaClient, queue: TaskQueue): Promise<Limit | null | 'unknown'> {
  const limitable = LIMITABLE_QUEUES.find((name) => name === queue);
  return limitable ? readLimit(client, prisma, limitable).catch(() => 'unknown' as const) : null;
}

/** Steps that gave up of late, and whose leads stand so: one index, and 10,000 rows at most. */
async function countFailed(pool: Pool): Promise<Map<string, Counts>> {
  const { rows } = await pool.query<Counts & { step: string }>(
    `SELECT step, count(*) FILTER (WHERE at >= now() - interval '1 minute')::int AS minute,
            count(*) FILTER (WHERE at >= now() - interval '1 hour')::int AS hour, count(*)::int AS day
     FROM (SELECT step, at FROM onboarding_failure WHERE at >= now() - interval '1 day'
           ORDER BY at DESC LIMIT ${COUNTED}) AS f GROUP BY step`,
  );
  return new Map(rows.map(({ step, ...failed }) => [step, failed]));
}

/** Half, 95 % and 99 % of attempts took so many seconds at most. */
interface Quantiles {
  p50: number;
  p95: number;
  p99: number;
}

interface Measured {
  /** Attempts that ended well. */
  done: Counts;
  /** Of the last hour: until a worker took an attempt, and from then to its end. Null without one. */
  seconds: { wait: Quantiles; run: Quantiles } | null;
}

const QUANTILES = [0.5, 0.95, 0.99];

/** From the ledger of attempts, which has those of leads; queues without any are not among them. */
async function measureAttempts(pool: Pool): Promise<Map<string, Measured>> {
  type Row = Counts & { queue: string; wait: [number, number, number] | null; run: [number, number, number] | null };
  const of = (seconds: string) =>
    `percentile_disc(ARRAY[${QUANTILES.join()}]::float8[]) WITHIN GROUP (ORDER BY ${seconds}) FILTER (WHERE is_recent)`;
  const { rows } = await pool.query<Row>(
    `SELECT queue, count(*) FILTER (WHERE is_done AND ended_at >= now() - interval '1 minute')::int AS minute,
            count(*) FILTER (WHERE is_done AND is_recent)::int AS hour, count(*) FILTER (WHERE is_done)::int AS day,
            ${of('wait')} AS wait, ${of('run')} AS run
     FROM (SELECT task_queue AS queue, ended_at, outcome = 'completed' AS is_done,
                  ended_at >= now() - interval '1 hour' AS is_recent,
                  greatest(0, extract(epoch FROM started_at - scheduled_at))::float8 AS wait,
                  extract(epoch FROM ended_at - started_at)::float8 AS run
           FROM step_attempt WHERE ended_at >= now() - interval '1 day'
           ORDER BY ended_at DESC LIMIT ${MEASURED}) AS a GROUP BY queue`,
  );
  const quantiles = ([p50, p95, p99]: [number, number, number]): Quantiles => ({ p50, p95, p99 });
  return new Map(
    rows.map(({ queue, minute, hour, day, wait, run }) => [
      queue,
      { done: { minute, hour, day }, seconds: wait && run && { wait: quantiles(wait), run: quantiles(run) } },
    ]),
  );
}

const sumOf = (counts: Counts[]): Counts =>
  counts.reduce(
    (sum, { minute, hour, day }) => ({ minute: sum.minute + minute, hour: sum.hour + hour, day: sum.day + day }),
    {
      minute: 0,
      hour: 0,
      day: 0,
    },
  );
