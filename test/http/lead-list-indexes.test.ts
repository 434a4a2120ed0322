import pg from 'pg';
import { describe, expect } from 'vitest';
import { API_ROLE } from '../../src/db/tenant.ts';
import { encodeCursor } from '../../src/db/paging.ts';
import type { TestDatabase } from '../support/database.ts';
import { explain } from '../support/explain.ts';
import { makeKey, openRequestPool, testWithoutStarts as test } from '../support/keyed-api.ts';
import { recordStatements } from '../support/statements.ts';

const LEADS = 10_000;
const NONE = { text: '', values: [] };

/** On a connection without the pool's time-outs: it takes longer than a request may. */
async function populate({ url }: TestDatabase) {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query(
    `INSERT INTO lead (id, organization_id, name, email, phone, company, status, source, assigned_to, score_band, created_at)
     SELECT gen_random_uuid(), 'org-' || n % 2, 'Lead ' || md5(n::text), md5(n::text) || '@example.com', '+55' || n,
            'Company ' || n % 500,
            (enum_range(NULL::lead_status))[1 + n % 6], (enum_range(NULL::lead_source))[1 + n % 9], 'user-' || n % 40,
            (enum_range(NULL::score_band))[1 + n % 3], timestamptz '2026-01-01 00:00:00Z' + n * interval '1 second'
     FROM generate_series(1, $1) AS n`,
    [LEADS],
  );
  await client.query('VACUUM ANALYZE lead');
  await client.end();
}

const CURSOR = encodeCursor({ at: new Date('2026-01-01T01:00:00.000Z'), id: '019b76da-a800-7000-8000-000000000000' });

describe('GET /api/leads stands on an index', () => {
  test.beforeAll(async ({ database }) => {
    await populate(database);
  });

  test.for([
    ['', 'lead_organization_id_created_at_id_idx', 'organization_id'],
    ['&status=LOST', 'lead_organization_id_status_created_at_id_idx', 'status'],
    ['&source=EVENT', 'lead_organization_id_source_created_at_id_idx', 'source'],
    ['&assignedTo=user-2', 'lead_organization_id_assigned_to_created_at_id_idx', 'assigned_to'],
    ['&scoreBand=HOT', 'lead_organization_id_score_band_created_at_id_idx', 'score_band'],
    ['&q=zyx', 'lead_search_idx', 'name'],
    [`&cursor=${CURSOR}`, 'lead_organization_id_created_at_id_idx', 'created_at'],
    [`&status=LOST&cursor=${CURSOR}`, 'lead_organization_id_status_created_at_id_idx', 'created_at'],
  ] as const)('for %j', async ([query, index, column], { api, database }) => {
    const statements = recordStatements();
    expect((await api.call('GET', `/api/leads?organizationId=org-0${query}`)).status).toBe(200);
    const [statement] = statements.filter(({ text }) => text.startsWith('SELECT'));
    expect(statements).toHaveLength(1);
    const used = await explain(database.pool, statement ?? NONE, 'org-0');
    expect(used).toContainEqual(expect.stringMatching(new RegExp(`^${index}: .*${column}`)));
  });

  /** What Postgres may look up behind a policy; the rest is read in the order of the page. */
  test.for([
    ['', 'lead_organization_id_created_at_id_idx', 'organization_id'],
    ['&status=LOST', 'lead_organization_id_created_at_id_idx', 'organization_id'],
    ['&assignedTo=user-2', 'lead_organization_id_assigned_to_created_at_id_idx', 'assigned_to'],
    ['&q=zyx', 'lead_organization_id_created_at_id_idx', 'organization_id'],
    [`&cursor=${CURSOR}`, 'lead_organization_id_created_at_id_idx', 'created_at'],
  ] as const)('with a key, for %j', async ([query, index, column], { keyed, database }) => {
    const call = keyed.as(await makeKey(database, { organizationId: 'org-0' }));
    const statements = recordStatements();
    expect((await call('GET', `/api/leads?limit=50${query}`)).status).toBe(200);
    const [statement] = statements.filter(({ text }) => text.includes('FROM "public"."lead"'));
    const pool = openRequestPool(database, API_ROLE);
    const used = await explain(pool, statement ?? NONE, 'org-0');
    await pool.end();
    expect(used).toEqual([expect.stringMatching(new RegExp(`^${index}: .*${column}`))]);
  });
});
