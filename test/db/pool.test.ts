import { expect, inject, it, onTestFinished, vi } from 'vitest';
import { createPool } from '../../src/db/pool.ts';
import { createPrisma } from '../../src/db/prisma.ts';
import { databaseFault } from '../../src/db/faults.ts';
import { connectionStringOf } from '../../src/local/postgres/postgres.ts';
import { query, silentServer } from './support.ts';

const server = () => connectionStringOf(inject('postgresPort'));

function poolOf(connectionString: string, onError: (err: Error) => void = () => undefined) {
  const pool = createPool({ connectionString, max: 1, applicationName: 'pool-test', onError });
  onTestFinished(() => (pool.ended ? undefined : pool.end()));
  return pool;
}

async function failure(work: Promise<unknown>) {
  const started = performance.now();
  const error = await work.then(
    () => expect.fail('It should have failed'),
    (err: unknown) => err,
  );
  return { error, seconds: (performance.now() - started) / 1000 };
}

it('gives up on a statement that takes too long, and goes on with the next', async () => {
  const pool = poolOf(server());
  const { error, seconds } = await failure(pool.query('SELECT pg_sleep(20)'));
  expect(error).toMatchObject({ code: '57014' });
  expect(seconds).toBeLessThan(3.5);
  expect((await pool.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);
});

it('does not wait long for a server that does not answer', async () => {
  using silent = await silentServer();
  const { error, seconds } = await failure(poolOf(silent.url).query('SELECT 1'));
  expect(databaseFault(error)).toBe('refused');
  expect(seconds).toBeLessThan(3);
});

it('does not wait long for a connection that others hold', async () => {
  const pool = poolOf(server());
  const held = await pool.connect();
  const { error, seconds } = await failure(pool.query('SELECT 1'));
  held.release();
  expect(databaseFault(error)).toBe('refused');
  expect(seconds).toBeLessThan(3);
});

it('reports an idle connection that is lost, and connects again', async () => {
  const lost: Error[] = [];
  const pool = poolOf(server(), (err) => lost.push(err));
  await pool.query('SELECT 1');
  await query(server(), `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'pool-test'`);
  await vi.waitFor(() => expect(lost.map(databaseFault)).toEqual(['broken-off']));
  expect((await pool.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);
});

it('takes its locks from a transaction that nobody ends', async () => {
  const { rows } = await poolOf(server()).query('SHOW idle_in_transaction_session_timeout');
  expect(rows).toEqual([{ idle_in_transaction_session_timeout: '10s' }]);
});

it('is shared with Prisma, which leaves it open', async () => {
  const pool = poolOf(server());
  const prisma = createPrisma(pool);
  expect(await prisma.$queryRaw`SELECT current_setting('application_name') AS name`).toEqual([{ name: 'pool-test' }]);
  await prisma.$disconnect();
  expect(pool.ended).toBe(false);
  expect((await pool.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);
});
