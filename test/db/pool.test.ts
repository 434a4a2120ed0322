import { expect, inject, it, onTestFinished } from 'vitest';
import { createPool } from '../../src/db/pool.ts';
import { createPrisma } from '../../src/db/prisma.ts';
import { databaseFault } from '../../src/db/faults.ts';
import { connectionStringOf } from '../../src/local/postgres/postgres.ts';
import { within } from '../support/patience.ts';
import { query, silentServer } from './support.ts';

const server = () => connectionStringOf(inject('postgresPort'));

function poolOf(connectionString: string, onError: (err: Error) => void = () => undefined, max = 1) {
  const pool = createPool({ connectionString, max, applicationName: 'pool-test', onError });
  onTestFinished(() => (pool.ended ? undefined : pool.end()));
  return pool;
}

/** What it fails with; without our deadlines each of these would wait for ever. */
const failureOf = (work: Promise<unknown>) =>
  within(
    work.then(
      () => expect.fail('It should have failed'),
      (err: unknown) => err,
    ),
    'It waits for ever',
  );

it('gives up on a statement that takes too long, and goes on with the next', async () => {
  const pool = poolOf(server());
  expect(await failureOf(pool.query('SELECT pg_sleep(600)'))).toMatchObject({ code: '57014' });
  expect((await pool.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);
});

it('does not wait long for a server that does not answer', async () => {
  using silent = await silentServer();
  expect(databaseFault(await failureOf(poolOf(silent.url).query('SELECT 1')))).toBe('refused');
});

it('does not wait long for a connection that others hold', async () => {
  const pool = poolOf(server());
  const held = await pool.connect();
  const error = await failureOf(pool.query('SELECT 1'));
  held.release();
  expect(databaseFault(error)).toBe('refused');
});

it('reports an idle connection that is lost, and connects again', async () => {
  const lost: Error[] = [];
  const pool = poolOf(server(), (err) => lost.push(err));
  await pool.query('SELECT 1');
  await query(server(), `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'pool-test'`);
  await expect.poll(() => lost.map(databaseFault)).toEqual(['broken-off']);
  expect((await pool.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);
});

it('keeps one connection that nobody uses, with the plans that it has made', async () => {
  const pool = poolOf(server(), undefined, 2);
  const backend = async (client: { query: typeof pool.query }) =>
    (await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid')).rows[0]?.pid;
  const two = await Promise.all([pool.connect(), pool.connect()]);
  const pids = await Promise.all(two.map(backend));
  for (const client of two) client.release();
  await expect.poll(() => pool.totalCount).toBe(1); // after 10 s
  expect(pids).toContain(await backend(pool));
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
