import pg from 'pg';
import { describe, expect, onTestFinished } from 'vitest';
import { API_ROLE } from '../../src/db/tenant.ts';
import { encodeCursor } from '../../src/db/paging.ts';
import type { TestDatabase } from '../support/database.ts';
import { explain } from '../support/explain.ts';
import { makeKey, openRequestPool, testWithoutStarts as test } from '../support/keyed-api.ts';
import { recordStatements } from '../support/statements.ts';

const LEADS = 10_000;

/** On a connection without the pool's time-outs: it takes longer than a request may. */
async function populate({ url }: TestDatabase) {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query(
    `INSERT INTO lead (id, organization_id, name, email, phone, company, status, source, assigned_to, created_at)
     SELECT gen_random_uuid(), 'org-' || n % 2, 'Lead ' || md5(n::text), md5(n::text) || '@example.com', '+55' || n,
            'Company ' || n % 500,
            (ARRAY['NEW', 'CONTACTED', 'QUALIFIED', 'UNQUALIFIED', 'CONVERTED', 'LOST'])[1 + n % 6],
            (ARRAY['WEBSITE', 'FORM', 'ADS', 'EVENT', 'REFERRAL', 'PARTNER', 'CRM', 'IMPORT', 'OTHER'])[1 + n % 9],
            'user-' || n % 40, timestamptz '2026-01-01 00:00:00Z' + n * interval '1 second'
     FROM generate_series(1, $1) AS n`,
    [LEADS],
  );
  await client.query(
    `INSERT INTO onboarding (lead_id, organization_id, state)
     SELECT id, organization_id, (ARRAY['COMPLETED', 'PARTIAL', 'FAILED'])[1 + (random() * 2)::int] FROM lead`,
  );
  await client.query(
    `INSERT INTO lead_score (lead_id, organization_id, score, band, breakdown, lead_created_at)
     SELECT id, organization_id, 0, (ARRAY['HOT', 'WARM', 'COLD'])[1 + (random() * 2)::int], '[]', created_at FROM lead`,
  );
  await client.query('VACUUM ANALYZE lead, lead_listing, onboarding, lead_score');
  await client.end();
}

const CHANGES = 'lead_listing_organization_id_changed_at_lead_id_idx';
const CURSOR_OF_CHANGES = encodeCursor({
  at: new Date('2026-01-01T01:00:00.000Z'),
  id: 'changed-019b76da-a800-7000-8000-000000000000',
});
const CURSOR = encodeCursor({ at: new Date('2026-01-01T01:00:00.000Z'), id: '019b76da-a800-7000-8000-000000000000' });

describe('GET /api/leads stands on an index', () => {
  test.beforeAll(async ({ database }) => {
    await populate(database);
  });

  test.for([
    ['', 'lead_organization_id_archived_created_at_id_idx', 'archived'],
    ['&archived=true', 'lead_organization_id_archived_created_at_id_idx', 'archived'],
    ['&archived=true&status=LOST', 'lead_organization_id_archived_status_created_at_id_idx', 'status'],
    ['&status=LOST', 'lead_organization_id_archived_status_created_at_id_idx', 'status'],
    ['&source=EVENT', 'lead_organization_id_archived_source_created_at_id_idx', 'source'],
    ['&assignedTo=user-2', 'lead_organization_id_archived_assigned_to_created_at_id_idx', 'assigned_to'],
    ['&scoreBand=HOT', 'lead_score_organization_id_lead_archived_band_lead_created__idx', 'band'],
    ['&onboardingState=FAILED', 'lead_listing_organization_id_lead_archived_onboarding_state_idx', 'onboarding_state'],
    ['&email=a%40b.example', 'lead_organization_id_email_key_key', 'email_key'],
    ['&sort=updatedAt', CHANGES, 'changed_at'],
    ['&sort=updatedAt&updatedSince=2026-01-01T00:00:00Z', CHANGES, 'changed_at'],
    [`&sort=updatedAt&cursor=${CURSOR_OF_CHANGES}`, CHANGES, 'changed_at'],
    [`&cursor=${CURSOR}`, 'lead_organization_id_archived_created_at_id_idx', 'created_at'],
    [`&status=LOST&cursor=${CURSOR}`, 'lead_organization_id_archived_status_created_at_id_idx', 'created_at'],
  ] as const)('for %j, with a key and without one', async ([query, index, column], { api, keyed, database }) => {
    const statements = recordStatements();
    const keyless = await statementOf(statements, () => api.call('GET', `/api/leads?organizationId=org-0${query}`));
    expect(await explain(database.pool, keyless, 'org-0')).toContainEqual(
      expect.stringMatching(new RegExp(`^${index}: .*${column}`)),
    );
    const call = keyed.as(await makeKey(database, { organizationId: 'org-0' }));
    const statement = await statementOf(statements, () => call('GET', `/api/leads?limit=50${query}`));
    const pool = openRequestPool(database, API_ROLE);
    onTestFinished(() => pool.end());
    expect(await explain(pool, statement, 'org-0')).toContainEqual(
      expect.stringMatching(new RegExp(`^${index}: .*${column}`)),
    );
  });

  /** A search is a function, which shows no plan: how often the index was used is counted. */
  test.for(['zyx', 'zy'])('for a search of %s, with a key too', async (q, { keyed, database }) => {
    const uses = async () => {
      const count = `SELECT idx_scan::int AS count FROM pg_stat_user_indexes WHERE indexrelname = 'lead_search_idx'`;
      return (await database.pool.query<{ count: number }>(count)).rows[0]?.count ?? 0;
    };
    const before = await uses();
    const call = keyed.as(await makeKey(database, { organizationId: 'org-0' }));
    const answer = await call('GET', `/api/leads?q=${q}`);
    expect(answer).toMatchObject({ status: 200, body: { items: [] } });
    await expect.poll(uses).toBeGreaterThan(before);
  });
});

async function statementOf(statements: ReturnType<typeof recordStatements>, call: () => Promise<object>) {
  statements.length = 0;
  expect(await call()).toMatchObject({ status: 200 });
  const list = statements.find(({ text }) => /"lead_(view|score|listing)"/.test(text));
  return list ?? expect.fail('No list was read');
}
