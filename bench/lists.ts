import { createPool } from '../src/db/pool.ts';
import { createPrisma } from '../src/db/prisma.ts';
import { API_ROLE, tenantOf } from '../src/db/tenant.ts';
import { listChangedLeads } from '../src/leads/listing.ts';
import { type LeadFilter, listLeads } from '../src/leads/read.ts';
import { countScores } from '../src/scoring/stored-leads.ts';
import { withPostgres } from './postgres.ts';
import { fillLeads } from './support/fill.ts';

/** What a list and a search take with so many leads in one organization, as a caller with a key asks for them. */
const LEADS = Number(process.argv[2] ?? 1_000_000);
const RUNS = 7;
const ORGANIZATION = 'org-large';

const middle = {
  at: new Date(Date.parse('2026-01-01T00:00:00Z') + LEADS * 500),
  id: '00000000-0000-4000-8000-000000000000',
};
const cursor = Buffer.from(JSON.stringify([middle.at.toISOString(), middle.id])).toString('base64url');

const LISTS: Record<string, Partial<LeadFilter>> = {
  'all of them': {},
  'from the middle on': { cursor },
  'put aside, none': { archived: true },
  'status, found': { status: 'NEW' },
  'status, none': { status: 'LOST' },
  'source, found': { source: 'ADS' },
  'source, none': { source: 'PARTNER' },
  'assignee, found': { assignedTo: 'user-7' },
  'assignee, none': { assignedTo: 'nobody' },
  'score band, found': { scoreBand: 'WARM' },
  'score band, none': { scoreBand: 'HOT' },
  'onboarding state, found': { onboardingState: 'COMPLETED' },
  'onboarding state, none': { onboardingState: 'FAILED' },
  'e-mail, one': { email: '77@example.com' },
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
  await fillLeads(url, ORGANIZATION, LEADS);
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
  const lists = Object.entries(LISTS).map(([name, filter]) => [name, filter, listLeads] as const);
  const changes = ['by change, from the start', {}, listChangedLeads] as const;
  for (const [name, filter, read] of [...lists, changes]) {
    const times: number[] = [];
    let items = 0;
    for (let run = 0; run <= RUNS; run += 1) {
      const startedAt = performance.now();
      const page = await tenant.read((db) => read(db, { organizationId: ORGANIZATION, limit: 50, ...filter }));
      items = page.items.length;
      if (run > 0) times.push(performance.now() - startedAt); // the first opens connections and loads pages
    }
    times.sort((a, b) => a - b);
    const round = (ms = 0) => Math.round(ms * 10) / 10;
    table[name] = { items, 'median ms': round(times[RUNS >> 1]), 'worst ms': round(times.at(-1)) };
  }
  const startedAt = performance.now();
  const scores = await countScores(prisma, ORGANIZATION);
  const counted = performance.now() - startedAt;
  console.log(`${scores} scores counted for a rescore in ${counted.toFixed(0)} ms`);
  console.log(`${LEADS} leads in one organization, with keys, pages of 50`);
  console.table(table);
  await prisma.$disconnect();
  await pool.end();
});
