import { describe, expect, it, onTestFinished } from 'vitest';
import { createPool } from '../../src/db/pool.ts';
import { freePort } from '../../src/local/ports.ts';
import { answerScaling, desiredWorkers } from '../../src/statistics/scaling.ts';
import { loadStatistics, storeStatistics } from '../../src/statistics/store.ts';
import type { TaskQueueStatistics } from '../../src/statistics/task-queue.ts';
import { test } from '../support/onboarding.ts';

/** Where the server does not tell of slots. */
const UNTOLD: TaskQueueStatistics = {
  tasks: 0,
  ageSeconds: 0,
  byPriority: {},
  addRate: 1,
  dispatchRate: 1,
  pollers: 1,
};
const BUSY: TaskQueueStatistics = { ...UNTOLD, slots: { workers: 1, used: 3, total: 3 } };

describe('the workers that there should be', () => {
  it.each([
    [{ slotsUsed: 0, backlog: 0, slotsPerWorker: 3 }, 0],
    [{ slotsUsed: 1, backlog: 0, slotsPerWorker: 3 }, 1],
    [{ slotsUsed: 3, backlog: 0, slotsPerWorker: 3 }, 2],
    [{ slotsUsed: 3, backlog: 6, slotsPerWorker: 3 }, 4],
    [{ slotsUsed: 6, backlog: 9, slotsPerWorker: 10 }, 2],
    [{ slotsUsed: 0, backlog: 0, slotsPerWorker: null }, 0],
    [{ slotsUsed: 0, backlog: 500, slotsPerWorker: null }, 1],
  ])('for %o are %d', (load, desired) => {
    expect(desiredWorkers(load)).toBe(desired);
  });
});

describe('an autoscaler', () => {
  test('is told what there is to do and what that takes', async ({ database: { pool } }) => {
    await storeStatistics(pool, 'lead', BUSY);
    const body = { queue: 'lead', desired: 2, slotsUsed: 3, backlog: 0, slotsPerWorker: 3 };
    expect(await answerScaling(pool, 'lead')).toEqual({ status: 200, body });
  });

  test('is told how many workers a backlog takes after the last of them is gone', async ({ database: { pool } }) => {
    await storeStatistics(pool, 'lead', BUSY);
    await storeStatistics(pool, 'lead', { ...BUSY, tasks: 9, slots: { workers: 0, used: 0, total: 0 } });
    const body = { queue: 'lead', desired: 4, slotsUsed: 0, backlog: 9, slotsPerWorker: 3 };
    expect(await answerScaling(pool, 'lead')).toEqual({ status: 200, body });
  });

  test('gets an error, and no figure, where nothing is known', async ({ database: { pool } }) => {
    const errorOf = async (queue: string, of = pool) => {
      const { status, body } = await answerScaling(of, queue);
      return { status, error: 'error' in body && body.error };
    };
    const saying = (text: string) => expect.stringContaining(text) as string;
    expect(await errorOf('leads')).toEqual({ status: 404, error: saying('lead-onboarding, notification, lead') });
    expect(await errorOf('notification')).toEqual({ status: 503, error: saying('No relay has read') });

    await storeStatistics(pool, 'lead', BUSY);
    await pool.query(`UPDATE task_queue_statistics SET read_at = read_at - interval '61 seconds'`);
    expect(await errorOf('lead')).toEqual({ status: 503, error: saying('older than a minute') });

    await storeStatistics(pool, 'lead', UNTOLD);
    expect(await errorOf('lead')).toEqual({ status: 503, error: saying('frontend.WorkerHeartbeatsEnabled') });
    expect(await loadStatistics(pool, 'lead')).toMatchObject({ slotsPerWorker: 3, isFresh: true });

    const connectionString = `postgresql://127.0.0.1:${await freePort()}/leads`;
    const away = createPool({ connectionString, max: 1, applicationName: 'scaling', onError: () => undefined });
    onTestFinished(() => away.end());
    expect(await errorOf('lead', away)).toEqual({ status: 503, error: saying('Postgres') });
  });
});
