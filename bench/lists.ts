import pg from 'pg';
import { createPool } from '../src/db/pool.ts';
import { createPrisma } from '../src/db/prisma.ts';
import { API_ROLE, tenantOf } from '../src/db/tenant.ts';
import { type LeadFilter, listLeads } from '../src/leads/read.ts';
import { withPostgres } from './postgres.ts';

/** What a list and a search take with so many leads in one organization, as a caller with a key asks for them. */
const LEADS = Number(process.argv[2] ?? 1_000_000);
const RUNS = 7;
const ORGANIZATION = 'org-large';
const CHUNK = 50_000;

const FILL = `
  WITH filled AS (
    INSERT INTO lead (id, organization_id, name, email, email_key, phone, company, status, source, assigned_to, created_at)
    SELECT gen_random_uuid(), '${ORGANIZATION}', initcap(substr(md5(n::text), 1, 8)) || ' ' || (ARRAY['Silva', 'Souza', 'Lima'])[1 + n % 3],
           substr(md5(n::text), 1, 12) || '@example.com', n || '@example.com', '+5511' || (900000000 + n), 'Company ' || n % 5000,
           (ARRAY['NEW', 'CONTACTED', 'QUALIFIED'])[1 + n % 3], (ARRAY['WEBSITE', 'FORM', 'ADS', 'EVENT'])[1 + n % 4],
           'user-' || n % 40, timestamptz '2026-01-01' + n * interval '1 second'
    FROM generate_series($1::int, $2::int) AS n RETURNING id, created_at),
  onboarded AS (
    INSERT INTO onboarding (lead_id, organization_id, state) SELECT id, '${ORGANIZATION}', 'COMPLETED' FROM filled)
  INSERT INTO lead_score (lead_id, organization_id, score, band, breakdown, lead_created_at)
  SELECT id, '${ORGANIZATION}', 40, (ARRAY['WARM', 'COLD'])[1 + (random())::int], '[{"points": 40}]', created_at FROM filled`;

const middle = {
  at: new Date(Date.parse('2026-01-01T00:00:00Z') + LEADS * 500),
  id: '00000000-0000-4000-8000-000000000000',
};
const cursor = Buffer.from(JSON.stringify([middle.at.toISOString(), middle.id])).toString('base64url');

const LISTS: Record<string, Partial<LeadFilter>> = {
  'all of them': {},
  'from the middle on': { cursor },
  'status, found': { status: 'NEW' },
  'status, none': { status: 'LOST' },
  'source, found': { source: 'ADS' },
  'source, none': { source: 'PARTNER' },
  'assignee, found': { assignedTo: 'user-7' },
  'assignee, none': { assignedTo: 'nobody' },
  'score band, found': { scoreBand: 'WARM' },
  'score band, none': { scoreBand: 'HOT' },
  'status and source, none': { status: 'LOST', source: 'ADS' },
  'status and assignee, from the middle on': { status: 'NEW', assignedTo: 'user-6', cursor },
  'search, in a third': { q: 'silva' },
  'search, one': { q: `+5511${900_000_000 + Math.round(LEADS / 2)}` },
  'search, none': { q: 'zzzyx' },
  'search of three characters, none': { q: 'zyx' },
  'search of two characters, none': { q: 'zy' },
  'search of one character': { q: 'c' },
  'search and status, none': { q: 'company 77', status: 'LOST' },
};

await withPostgres(async ({ url }) => {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  for (let from = 1; from <= LEADS; from += CHUNK) {
    await client.query(FILL, [from, Math.min(LEADS, from + CHUNK - 1)]);
  }
  await client.query('VACUUM ANALYZE');
  await client.end();

  const pool = createPool({
    connectionString: url,
    max: 2,
    applicationName: 'requests',
    role: API_ROLE,
    onError: () => undefined,
  });
  const prisma = createPrisma(pool);
  const tenant = tenantOf(prisma, ORGANIZATION);
  const table: Record<string, { items: number; 'median ms': number; 'worst ms': number }> = {};
  for (const [name, filter] of Object.entries(LISTS)) {
    const times: number[] = [];
    let items = 0;
    for (let run = 0; run <= RUNS; run += 1) {
      const startedAt = performance.now();
      const page = await tenant.read((db) => listLeads(db, { organizationId: ORGANIZATION, limit: 50, ...filter }));
      items = page.items.length;
      if (run > 0) times.push(performance.now() - startedAt); // the first opens connections and loads pages
    }
    times.sort((a, b) => a - b);
    const round = (ms = 0) => Math.round(ms * 10) / 10;
    table[name] = { items, 'median ms': round(times[RUNS >> 1]), 'worst ms': round(times.at(-1)) };
  }
  console.log(`${LEADS} leads in one organization, with keys, pages of 50`);
  console.table(table);
  await prisma.$disconnect();
  await pool.end();
});
