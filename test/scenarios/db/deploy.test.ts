import { cp, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { describe, expect, it, onTestFinished } from 'vitest';
import { freePort } from '../../../src/local/ports.ts';
import { connectionStringOf } from '../../../src/local/postgres/postgres.ts';
import { projectRoot } from '../../../src/local/project-root.ts';
import { MIGRATIONS, query, runPrisma, SCHEMA, silentServer, unborn } from '../../db/support.ts';

const names = async () => (await readdir(MIGRATIONS)).filter((name) => name !== 'migration_lock.toml').sort();
const APPLIED =
  'SELECT migration_name AS name FROM _prisma_migrations WHERE finished_at IS NOT NULL ORDER BY finished_at';

describe('migrate deploy', () => {
  it('makes the database and all that is in it, and has nothing to do the second time', async () => {
    await using database = unborn();

    const first = await runPrisma(['migrate', 'deploy'], database.url);
    expect(first).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('successfully applied') as unknown });
    expect(await query(database.url, APPLIED)).toEqual((await names()).map((name) => ({ name })));
    const functions = await query(database.url, `SELECT proname AS name FROM pg_proc WHERE proname = 'intake_lead'`);
    expect(functions).toEqual([{ name: 'intake_lead' }, { name: 'intake_lead' }]);

    const second = await runPrisma(['migrate', 'deploy'], database.url);
    expect(second).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('No pending migrations') as unknown });
    const status = await runPrisma(['migrate', 'status'], database.url);
    expect(status).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('up to date') as unknown });
  });

  it('applies each migration once when two deployments start together', async () => {
    await using database = unborn();
    await query(connectionStringOf(Number(new URL(database.url).port)), `CREATE DATABASE ${nameOf(database.url)}`);

    const both = await Promise.all([1, 2].map(() => runPrisma(['migrate', 'deploy'], database.url)));
    expect(both.map(({ exitCode }) => exitCode)).toEqual([0, 0]);
    expect(await query(database.url, APPLIED)).toEqual((await names()).map((name) => ({ name })));
  });

  it('says which migration failed, where and why, and leaves nothing of it behind', async () => {
    await using database = unborn();
    const folder = await mkdtemp(join(tmpdir(), 'lead-migrations-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    await cp(MIGRATIONS, join(folder, 'migrations'), { recursive: true });
    await mkdir(join(folder, 'migrations/20990101000000_broken'));
    await writeFile(
      join(folder, 'migrations/20990101000000_broken/migration.sql'),
      'CREATE TABLE half_done (id int);\n\nINSERT INTO lead (no_such_column) VALUES (1);\n',
    );
    await writeFile(join(folder, 'prisma.config.mjs'), configOf(join(folder, 'migrations'), database.url));

    const { exitCode, stderr } = await runPrisma(
      ['migrate', 'deploy', '--config', join(folder, 'prisma.config.mjs')],
      database.url,
    );
    expect(exitCode).toBe(1);
    expect(stderr).toContain('P3018');
    expect(stderr).toContain('Migration name: 20990101000000_broken');
    expect(stderr).toContain('column "no_such_column" of relation "lead" does not exist (line 3)');
    expect(await query(database.url, `SELECT to_regclass('half_done') AS found`)).toEqual([{ found: null }]);
  });

  it('makes an index of a large table while somebody writes it', async () => {
    await using database = unborn();
    expect((await runPrisma(['migrate', 'deploy'], database.url)).exitCode).toBe(0);
    const folder = await mkdtemp(join(tmpdir(), 'lead-migrations-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    await cp(MIGRATIONS, join(folder, 'migrations'), { recursive: true });
    await mkdir(join(folder, 'migrations/20990101000000_index'));
    await writeFile(
      join(folder, 'migrations/20990101000000_index/migration.sql'),
      'CREATE INDEX CONCURRENTLY lead_locale_idx ON lead(locale);\n',
    );
    await writeFile(join(folder, 'prisma.config.mjs'), configOf(join(folder, 'migrations'), database.url));

    const writer = new pg.Client({ connectionString: database.url });
    await writer.connect();
    const write = (email: string) =>
      writer.query(
        `WITH taken AS (INSERT INTO lead (id, organization_id, name, email, email_key)
                    VALUES (gen_random_uuid(), 'org-1', 'Ana', $1, $1) RETURNING id)
                    INSERT INTO onboarding (lead_id, organization_id) SELECT id, 'org-1' FROM taken`,
        [email],
      );
    await writer.query('BEGIN');
    await write('one@example.com');
    const deployed = runPrisma(['migrate', 'deploy', '--config', join(folder, 'prisma.config.mjs')], database.url);
    const waiting = `SELECT count(*)::int AS count FROM pg_stat_activity
                     WHERE datname = current_database() AND query LIKE 'CREATE INDEX%' AND wait_event_type = 'Lock'`;
    await expect.poll(() => query(database.url, waiting)).toEqual([{ count: 1 }]); // for the writer's end
    await write('two@example.com');
    await query(database.url, `UPDATE lead SET name = 'Eva' WHERE email = 'nobody@example.com'`);
    await writer.query('COMMIT');
    expect(await deployed).toMatchObject({ exitCode: 0 });
    await writer.end();
    const valid = `SELECT indisvalid AS valid FROM pg_index WHERE indexrelid = 'lead_locale_idx'::regclass`;
    expect(await query(database.url, valid)).toEqual([{ valid: true }]);
  });

  it('says what an administrator has to do for an owner who may not make roles, and goes on when it is done', async () => {
    await using database = unborn();
    const admin = connectionStringOf(Number(new URL(database.url).port));
    const owner = nameOf(database.url).replace('deploy', 'owner');
    await query(admin, `CREATE ROLE ${owner} LOGIN PASSWORD 'owner'`);
    await query(admin, `CREATE DATABASE ${nameOf(database.url)} OWNER ${owner}`);
    const url = new URL(database.url);
    [url.username, url.password] = [owner, 'owner'];

    const { exitCode, stderr } = await runPrisma(['migrate', 'deploy'], url.href);
    expect(exitCode).toBe(1);
    const [, grant = ''] = /; (GRANT lead_api TO \w+)\. /.exec(stderr) ?? [];
    const [, resolve = ''] = /cli\.mjs (migrate resolve --rolled-back \w+),/.exec(stderr) ?? [];
    await query(admin, grant);
    expect(await runPrisma(resolve.split(' '), url.href)).toMatchObject({ exitCode: 0 });
    expect(await runPrisma(['migrate', 'deploy'], url.href)).toMatchObject({ exitCode: 0 });

    const rows = `SELECT count(*)::int AS count FROM outbox`;
    const insert = `INSERT INTO outbox (id, lead_id, organization_id, kind)
      VALUES (gen_random_uuid(), gen_random_uuid(), 'org-1', 'START_ONBOARDING')`;
    await query(url.href, insert);
    expect(await query(url.href, rows)).toEqual([{ count: 1 }]);
    url.searchParams.set('options', '-c role=lead_api');
    expect(await query(url.href, rows)).toEqual([{ count: 0 }]);
  });

  it('names a server that is not there', async () => {
    const port = await freePort();
    const { exitCode, stderr } = await runPrisma(['migrate', 'deploy'], connectionStringOf(port, 'leads'));
    expect(exitCode).toBe(1);
    expect(stderr).toContain(`P1001: Can't reach database server at \`127.0.0.1:${port}\``);
  });

  it('does not wait for a server that does not answer', async () => {
    using server = await silentServer();
    const { exitCode, stderr } = await runPrisma(['migrate', 'deploy'], server.url);
    expect(exitCode).toBe(1);
    expect(stderr).toContain(`P1001: Can't reach database server at \`${new URL(server.url).host}\``);
  });

  it('repeats what Postgres says about a wrong password', async () => {
    await using database = unborn();
    const url = new URL(database.url);
    url.password = 'wrong';
    const { exitCode, stderr } = await runPrisma(['migrate', 'deploy'], url.href);
    expect(exitCode).toBe(1);
    expect(stderr).toContain('P1000');
    expect(stderr).toContain('password authentication failed for user "postgres"');
  });

  it.each([undefined, '', 'leads', 'mysql://localhost/leads'])('asks for DATABASE_URL when it is %j', async (url) => {
    const { exitCode, stdout, stderr } = await runPrisma(['migrate', 'deploy'], url);
    expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: '' });
    expect(stderr).toMatch(/^Set DATABASE_URL to a PostgreSQL .*\n$/);
  });
});

const nameOf = (url: string) => new URL(url).pathname.slice(1);

/** Plain, as it is outside the project and can import nothing of it. */
function configOf(migrations: string, url: string): string {
  const engine = join(projectRoot(), 'prisma/engine/schema-engine.mjs');
  const config = { schema: SCHEMA, migrations: { path: migrations }, datasource: { url } };
  return (
    `process.env.PRISMA_SCHEMA_ENGINE_BINARY = ${JSON.stringify(engine)};\n` +
    `process.env.CHECKPOINT_DISABLE = '1';\nexport default ${JSON.stringify(config)};\n`
  );
}
