import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hasNeededSchema } from '../../src/db/schema.ts';
import { createPool } from '../../src/db/pool.ts';
import { API_ROLE } from '../../src/db/tenant.ts';
import { intakeLead } from '../../src/leads/intake.ts';
import { submissionSchema } from '../../src/leads/submission.ts';
import { freePort } from '../../src/local/ports.ts';
import { query } from '../../src/local/postgres/database.ts';
import { migrate } from '../../src/local/postgres/migrations.ts';
import { connectionStringOf, startPostgres } from '../../src/local/postgres/postgres.ts';
import { projectRoot } from '../../src/local/project-root.ts';
import { readCompose } from './compose.ts';

const PASSWORDS: Record<string, string> = { lead_password: "le'ad", temporal_password: 'tempo' };
const folder = await mkdtemp(join(tmpdir(), 'lead-roles-'));
const port = await freePort();
let postgres: Awaited<ReturnType<typeof startPostgres>>;

const urlOf = (user: string, password: string, database: string) =>
  `postgres://${user}:${encodeURIComponent(password)}@127.0.0.1:${port}/${database}`;
const leadUrl = urlOf('lead_onboarding', "le'ad", 'lead_onboarding');
const temporalUrl = urlOf('temporal', 'tempo', 'temporal');

/** What the compose file has a new server do, statement by statement as psql sends them. */
async function rolesScript(): Promise<string[]> {
  const { configs } = await readCompose();
  const text = (configs['postgres-roles']?.content ?? '')
    .replace(/^\\getenv .*$/gm, '')
    .replace(/:'(\w+)'/g, (_, name: string) => `'${(PASSWORDS[name] ?? '').replaceAll("'", "''")}'`);
  return text.split(';').flatMap((statement) => (statement.trim() === '' ? [] : [statement.trim()]));
}

beforeAll(async () => {
  postgres = await startPostgres({ dataDir: join(folder, 'postgres'), port, settings: { fsync: 'off' } });
  for (const statement of await rolesScript()) await query(connectionStringOf(port), statement);
});

afterAll(async () => {
  await postgres.stop();
  await rm(folder, { recursive: true, force: true });
});

describe('the users of the compose file', () => {
  it('are no superusers, and may make neither roles nor databases', async () => {
    const rows = await query(
      connectionStringOf(port),
      `SELECT rolname AS name, rolsuper OR rolcreaterole OR rolcreatedb OR rolbypassrls OR rolreplication AS may
       FROM pg_roles WHERE rolname IN ('lead_onboarding', 'lead_api', 'temporal') ORDER BY 1`,
    );
    const names = ['lead_api', 'lead_onboarding', 'temporal'];
    expect(rows).toEqual(names.map((name) => ({ name, may: false })));
  });

  it('come into their own databases only', async () => {
    for (const url of [
      urlOf('lead_onboarding', "le'ad", 'temporal'),
      urlOf('lead_onboarding', "le'ad", 'temporal_visibility'),
      urlOf('temporal', 'tempo', 'lead_onboarding'),
    ]) {
      await expect(query(url, 'SELECT 1'), url).rejects.toThrow(/permission denied for database/);
    }
    await query(temporalUrl, 'CREATE TABLE own (id int)');
    const visibility = urlOf('temporal', 'tempo', 'temporal_visibility');
    await query(visibility, 'CREATE EXTENSION btree_gin'); // what its schema begins with
  });

  it('migrate: the user of the application owns all tables, and its API works under its role', async () => {
    expect(await migrate({ connectionString: leadUrl, root: projectRoot() })).toBeGreaterThan(0);
    const owners = await query(leadUrl, `SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname = 'public'`);
    expect(owners).toEqual([{ tableowner: 'lead_onboarding' }]);

    const options = { connectionString: leadUrl, max: 1, applicationName: 'roles', onError: () => undefined };
    const pool = createPool({ ...options, role: API_ROLE });
    const owner = createPool(options);
    try {
      expect(await hasNeededSchema(owner)).toBe(true);
      const settings = { enrichmentDelayMs: 0, idempotencyTtlHours: 1 };
      const submission = submissionSchema.parse({ organizationId: 'org-1', name: 'Ana', email: 'ana@example.com' });
      const caller = { keyId: null, userId: null, ipAddress: null, userAgent: null, requestId: 'r' };
      const request = { organizationId: 'org-1', submission, caller, idempotencyKey: 'once', orderDelayMs: 0 };
      expect((await intakeLead(pool, settings, request)).outcome).toBe('created');
      expect((await pool.query('SELECT current_user AS role, count(*)::int FROM lead')).rows).toEqual([
        { role: API_ROLE, count: 0 }, // no organization is named
      ]);
      expect((await owner.query('SELECT count(*)::int FROM lead')).rows).toEqual([{ count: 1 }]);
    } finally {
      await Promise.all([pool.end(), owner.end()]);
    }
  });
});
