import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { checkDatabase, ensureDatabase, query } from '../../../src/local/postgres/database.ts';
import { freePort } from '../../../src/local/ports.ts';
import { connectionStringOf, startPostgres } from '../../../src/local/postgres/postgres.ts';
import { makeTempDir } from '../support/parts.ts';

describe('embedded Postgres', () => {
  it('keeps its data from one start to the next', async () => {
    const dataDir = join(await makeTempDir(), 'postgres');
    const first = await startPostgres({ dataDir, port: await freePort() });
    await query(first.connectionString, `CREATE TABLE kept AS SELECT 'João' AS name`);
    await first.stop();
    const second = await startPostgres({ dataDir, port: await freePort() });
    expect(await query(second.connectionString, 'SELECT name FROM kept')).toEqual([{ name: 'João' }]);
    await second.stop();
  }, 60_000);

  it('syncs to disk, listens on loopback only, logs no rows, and folds the case of accented letters', async () => {
    const folder = await makeTempDir();
    const port = await freePort();
    const { connectionString, stop } = await startPostgres({ dataDir: join(folder, 'postgres'), port });
    const [row] = await query(
      connectionString,
      `SELECT current_setting('fsync') AS fsync, current_setting('listen_addresses') AS listens, current_setting('log_error_verbosity') AS logs, lower('ÁÇÃO') AS lower`,
    );
    expect(row).toEqual({ fsync: 'on', listens: '127.0.0.1', logs: 'terse', lower: 'áção' });
    expect((await stat(join(folder, 'postgres'))).mode & 0o077).toBe(0);

    await ensureDatabase(connectionString, 'lead_onboarding');
    await ensureDatabase(connectionString, 'lead_onboarding');
    expect(await checkDatabase(connectionStringOf(port, 'lead_onboarding'))).toMatch(/^1\d\./);
    await expect(checkDatabase(connectionStringOf(port, 'nothing'))).rejects.toThrow(
      /^DATABASE_URL: no usable Postgres at 127\.0\.0\.1:\d+\/nothing \(database "nothing" does not exist\)/,
    );
    await stop();
  }, 60_000);
});

it('an unreachable DATABASE_URL is one line without its password', async () => {
  const port = await freePort();
  const failing = checkDatabase(`postgresql://someone:secret@127.0.0.1:${port}/leads`);
  await expect(failing).rejects.toMatchObject({
    name: 'StartError',
    message:
      `DATABASE_URL: no usable Postgres at 127.0.0.1:${port}/leads (connect ECONNREFUSED 127.0.0.1:${port}): ` +
      'start it or correct the variable, or unset it to use the embedded one',
  });
});
