import { describe, expect, onTestFinished } from 'vitest';
import { type DatabaseFault, databaseFault } from '../../src/db/faults.ts';
import { createPool } from '../../src/db/pool.ts';
import { createPrisma } from '../../src/db/prisma.ts';
import { freePort } from '../../src/local/ports.ts';
import type { TestDatabase } from '../support/database.ts';
import { takeIn, test } from '../support/onboarding.ts';
import { startTcpProxy } from '../support/tcp-proxy.ts';

type Connections = Pick<TestDatabase, 'pool' | 'prisma'>;

/** A pool, and Prisma on it, until the test ends. */
function connectTo(connectionString: string, max = 5): Connections {
  const pool = createPool({ connectionString, max, applicationName: 'faults', onError: () => undefined });
  onTestFinished(() => pool.end());
  return { pool, prisma: createPrisma(pool) };
}

const failureOf = (call: Promise<unknown>): Promise<unknown> =>
  call.then(
    () => 'it went well',
    (err: unknown) => err,
  );

/** What node-postgres throws and what Prisma throws, on its own and in a transaction, at this statement. */
async function faultsOf({ pool, prisma }: Connections, statement: string): Promise<(DatabaseFault | undefined)[]> {
  const calls = [
    () => pool.query(statement),
    () => prisma.$executeRawUnsafe(statement),
    () => prisma.$transaction((tx) => tx.$executeRawUnsafe(statement)),
  ];
  const faults: (DatabaseFault | undefined)[] = [];
  for (const call of calls) {
    const failure = await failureOf(call());
    expect(failure).toBeInstanceOf(Error);
    faults.push(databaseFault(failure));
  }
  return faults;
}

const allOf = (fault: DatabaseFault | undefined) => [fault, fault, fault];

describe('a real fault of Postgres is told alike by node-postgres and by Prisma:', () => {
  test('nobody listens', async ({ database }) => {
    const url = new URL(database.url);
    url.port = String(await freePort());
    expect(await faultsOf(connectTo(url.href), 'SELECT 1')).toEqual(allOf('refused'));
  });

  test('the role may not connect again', async ({ database }) => {
    await database.pool.query(`CREATE ROLE crowded LOGIN PASSWORD 'crowded' CONNECTION LIMIT 0`);
    const url = new URL(database.url);
    [url.username, url.password] = ['crowded', 'crowded'];
    expect(await faultsOf(connectTo(url.href), 'SELECT 1')).toEqual(allOf('refused'));
    await database.pool.query('DROP ROLE crowded');
  });

  test('all connections of the pool are taken', async ({ database }) => {
    const crowded = connectTo(database.url, 1);
    const client = await crowded.pool.connect();
    const faults = await faultsOf(crowded, 'SELECT 1');
    client.release();
    expect(faults).toEqual(allOf('refused'));
  });

  test('another transaction has the row, and it does not wait', async ({ database }) => {
    const { leadId } = await takeIn(database);
    const client = await database.pool.connect();
    await client.query('BEGIN');
    await client.query('SELECT 1 FROM lead WHERE id = $1 FOR UPDATE', [leadId]);
    const faults = await faultsOf(database, `SELECT 1 FROM lead WHERE id = '${leadId}' FOR UPDATE NOWAIT`);
    await client.query('ROLLBACK');
    client.release();
    expect(faults).toEqual(allOf('locked'));
  });

  test('it takes longer than a statement may', async ({ database }) => {
    expect(await faultsOf(database, 'SELECT pg_sleep(60)')).toEqual(allOf('refused'));
  });

  test('the connection is ended in the middle', async ({ database }) => {
    expect(await faultsOf(database, 'SELECT pg_terminate_backend(pg_backend_pid())')).toEqual(allOf('broken-off'));
  });

  test('the network breaks in the middle', async ({ database }) => {
    const proxy = await startTcpProxy(Number(new URL(database.url).port));
    const url = new URL(database.url);
    url.port = String(proxy.port);
    const broken = connectTo(url.href);
    proxy.setAlteration((chunk) => {
      if (chunk.includes('pg_sleep')) setImmediate(proxy.cut);
      return chunk;
    });
    for (const call of [
      () => broken.pool.query('SELECT pg_sleep(60)'),
      () => broken.prisma.$executeRaw`SELECT pg_sleep(60)`,
      () => broken.prisma.$transaction((tx) => tx.$queryRaw`SELECT pg_sleep(60)`),
    ]) {
      expect(databaseFault(await failureOf(call()))).toBe('broken-off');
    }
    await proxy.close();
  });

  test('it is a standby that only reads', async ({ database }) => {
    const url = new URL(database.url);
    url.searchParams.set('options', '-c default_transaction_read_only=on');
    expect(await faultsOf(connectTo(url.href), 'DELETE FROM outbox')).toEqual(allOf('refused'));
  });

  test.for(['40001', '40P01', '57P03', '53200'])('SQLSTATE %s', async (code, { database }) => {
    const raise = `DO $$ BEGIN RAISE EXCEPTION 'by the test' USING ERRCODE = '${code}'; END $$`;
    expect(await faultsOf(database, raise)).toEqual(allOf('refused'));
  });
});

describe('what waiting cannot help is no fault of the database:', () => {
  test.for([
    ['a syntax error', 'SELEC'],
    ['a table that there is not', 'SELECT * FROM nowhere'],
    ['text that is no UUID', `SELECT 'x'::uuid`],
    [
      'a value twice',
      `INSERT INTO idempotency_key (organization_id, key, request_hash, expires_at) SELECT 'a', 'b', 'c', now() FROM generate_series(1, 2)`,
    ],
    ['a division by zero', 'SELECT 1 / 0'],
  ])('%s', async ([, statement = ''], { database }) => {
    expect(await faultsOf(database, statement)).toEqual(allOf(undefined));
  });

  test.for([
    [new Error('Query failed')],
    [new TypeError('x')],
    ['ECONNREFUSED'],
    [undefined],
    [{ code: '57P01' }],
    [Object.assign(new Error('x'), { code: 57 })],
  ])('%o', ([err]) => {
    expect(databaseFault(err)).toBeUndefined();
  });
});

test('a fault is found behind other errors', () => {
  const cause = Object.assign(new Error('refused'), { code: 'ECONNREFUSED' });
  expect(databaseFault(new Error('query', { cause: new Error('connect', { cause }) }))).toBe('refused');
});
