import { readFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { MIGRATIONS, query, runPrisma, SCHEMA } from './support.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

describe('migrate diff', () => {
  it('finds the migrated database as schema.prisma says', async () => {
    const args = ['migrate', 'diff', '--from-config-datasource', '--to-schema', SCHEMA, '--exit-code'];
    expect(await runPrisma(args, database.url)).toMatchObject({ exitCode: 0, stdout: 'No difference detected.\n\n' });

    await query(database.url, 'ALTER TABLE lead ADD COLUMN forgotten text');
    onTestFinished(async () => {
      await query(database.url, 'ALTER TABLE lead DROP COLUMN forgotten');
    });
    const { exitCode, stdout } = await runPrisma([...args, '--script'], database.url);
    expect(exitCode).toBe(2);
    expect(stdout).toContain('ALTER TABLE "lead" DROP COLUMN "forgotten"');
  });

  it('replays the migrations in a database of its own, which it removes', async () => {
    const databases = `SELECT count(*)::int AS count FROM pg_database WHERE datname LIKE 'prisma_migrate_shadow_db_%'`;
    const tables = `SELECT count(*)::int AS count FROM pg_tables WHERE schemaname = 'public'`;
    const before = await query(database.url, tables);

    const args = ['migrate', 'diff', '--from-migrations', MIGRATIONS, '--to-schema', SCHEMA, '--exit-code'];
    expect(await runPrisma(args, database.url)).toMatchObject({ exitCode: 0 });
    expect(await query(database.url, databases)).toEqual([{ count: 0 }]);
    expect(await query(database.url, tables)).toEqual(before);
  });

  it('writes the next migration from two schema files, without a database', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'lead-schema-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    const next = join(folder, 'schema.prisma');
    await writeFile(
      next,
      (await readFile(SCHEMA, 'utf8')).replace('model LeadRecord {', 'model LeadRecord {\n  nickname String?\n'),
    );

    const { exitCode, stdout } = await runPrisma([
      'migrate',
      'diff',
      '--from-schema',
      SCHEMA,
      '--to-schema',
      next,
      '--script',
    ]);
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^-- AlterTable\nALTER TABLE "lead" ADD COLUMN +"nickname" TEXT;\n/);
  });
});

describe('indexes', () => {
  /** How Postgres finds rows when it must not read the table as a whole. */
  async function plan(statement: string): Promise<string> {
    const client = await database.pool.connect();
    try {
      await client.query('SET enable_seqscan = off');
      const { rows } = await client.query<{ 'QUERY PLAN': string }>(`EXPLAIN (COSTS OFF) ${statement}`);
      return rows.map((row) => row['QUERY PLAN']).join('\n');
    } finally {
      client.release(true);
    }
  }

  it('find a part of a name, e-mail, company or phone', async () => {
    const columns = ['name', 'email', 'company', 'phone'];
    const found = await plan(
      `SELECT id FROM lead WHERE ${columns.map((c) => `${c}::text ILIKE '%silva%'`).join(' OR ')}`,
    );
    expect(found.match(/Bitmap Index Scan on lead_search_idx/g)).toHaveLength(columns.length);
  });

  it('give due orders in their order', async () => {
    const found = await plan(
      `SELECT id FROM outbox WHERE status = 'PENDING' AND available_at <= now()
       ORDER BY available_at FOR UPDATE SKIP LOCKED LIMIT 20`,
    );
    expect(found).toContain('Index Scan using outbox_status_available_at_idx');
    expect(found).not.toContain('Sort');
  });

  it('give what is watched in the order in which the reconciler looks at them', async () => {
    const found = await plan(
      `SELECT lead_id FROM watch WHERE look_after < now() ORDER BY look_after LIMIT 50 FOR UPDATE SKIP LOCKED`,
    );
    expect(found).toContain('Index Scan using watch_look_after_idx');
    expect(found).not.toContain('Sort');
  });

  it('give the leads that were left alone the longest, and the idempotency keys that have expired', async () => {
    const alone = `SELECT id FROM lead WHERE active_at < now() - interval '1 day' ORDER BY active_at, id LIMIT 100`;
    expect(await plan(alone)).toContain('lead_active_at_id_idx');
    const expired = 'SELECT key FROM idempotency_key WHERE expires_at <= now() ORDER BY expires_at LIMIT 1';
    expect(await plan(expired)).toContain('idempotency_key_expires_at_idx');
  });
});
