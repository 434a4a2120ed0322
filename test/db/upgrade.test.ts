import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { createPrisma } from '../../src/db/prisma.ts';
import { createPool } from '../../src/db/pool.ts';
import { createKeyring } from '../../src/api-keys/keyring.ts';
import { createKey } from '../../src/api-keys/manage.ts';
import { recordLog } from '../support/log.ts';
import { MIGRATIONS, query, unborn } from './support.ts';

/** The last migration of the release before the one that parted the table of leads. */
const BEFORE = '20261124000800_score_after_enrichment';

/** A database as that release had it, with leads in every state, and what hangs on them. */
const FILL = `
  INSERT INTO lead (id, organization_id, name, email, email_key, phone, company, status, source, assigned_to, assignment,
                    priority, locale, attributes, score, score_band, score_breakdown, enrichment, onboarding_state,
                    onboarding_round, accepted_commands, version)
  SELECT gen_random_uuid(), 'org-' || n % 3, 'Lead ' || n, 'l' || n || '@example.com', 'l' || n || '@example.com',
         '+55' || n, 'Acme', (enum_range(NULL::lead_status))[1 + n % 6], (enum_range(NULL::lead_source))[1 + n % 9],
         'user-' || n % 4, 1, (enum_range(NULL::lead_priority))[1 + n % 4], 'pt-BR', jsonb_build_object('n', n),
         CASE WHEN n % 2 = 0 THEN 40 END, CASE WHEN n % 2 = 0 THEN 'WARM'::score_band END,
         CASE WHEN n % 2 = 0 THEN '[{"rule": "r", "points": 40, "reason": "R"}]'::jsonb END,
         CASE WHEN n % 2 = 0 THEN '{"outcome": "completed", "providers": [], "fields": {}}'::jsonb END,
         (enum_range(NULL::onboarding_state))[1 + n % 6], 1 + n % 3,
         CASE WHEN n % 5 = 0 THEN ARRAY['enrichNow', 'cancel']::onboarding_signal[] ELSE '{}' END, 1 + n % 7
  FROM generate_series(1, 600) AS n;
  INSERT INTO lead_event (id, lead_id, organization_id, type, at)
  SELECT gen_random_uuid(), id, organization_id, 'lead.created', created_at FROM lead;
  INSERT INTO lead_event (id, lead_id, organization_id, type, at, step_key)
  SELECT gen_random_uuid(), id, organization_id, 'onboarding.started', created_at, '1/started' FROM lead;
  INSERT INTO lead_event (id, lead_id, organization_id, type, at)
  SELECT gen_random_uuid(), id, organization_id, 'lead.touched', now() + interval '1 hour' FROM lead WHERE name = 'Lead 7';
  INSERT INTO api_key (id, organization_id, name, secret_hash, scopes)
  VALUES (gen_random_uuid(), 'org-1', 'old', sha256('secret'), ARRAY['leads:write', 'leads:read'])`;

const CALLERS = `id, organization_id, name, email, email_key, phone, company, status::text, source::text, assigned_to,
  assignment, priority::text, locale, attributes, version, created_at, score, score_band::text, score_breakdown,
  enrichment, onboarding_state::text, onboarding_round, accepted_commands::text[]`;

it('an upgrade keeps every lead of the release before, whatever state it is in', async () => {
  await using database = unborn();
  const { url } = database;
  const folders = readdirSync(MIGRATIONS).filter((name) => /^\d/.test(name));
  const earlier = folders.filter((name) => name <= BEFORE);
  expect(earlier.at(-1)).toBe(BEFORE);
  await create(url);
  for (const folder of earlier) await apply(url, folder);
  await query(url, FILL);
  const leads = await query(url, `SELECT ${CALLERS} FROM lead ORDER BY id`);
  const entries = await query(url, 'SELECT lead_id, type, at, seq FROM lead_event ORDER BY seq');

  for (const folder of folders.slice(earlier.length)) await apply(url, folder);

  expect(await query(url, `SELECT ${CALLERS} FROM lead_view ORDER BY id`)).toEqual(leads);
  expect(await query(url, 'SELECT lead_id, type, at, seq FROM lead_event ORDER BY seq')).toEqual(entries);
  const unfinished = leads.filter(({ onboarding_state }) => ['PENDING', 'RUNNING'].includes(String(onboarding_state)));
  const watched = await query(url, `SELECT lead_id AS id FROM watch WHERE run = 'onboarding' ORDER BY lead_id`);
  expect(watched).toEqual(unfinished.map(({ id }) => ({ id })));
  const active = `SELECT name FROM lead WHERE active_at > now() + interval '30 minutes'`;
  expect(await query(url, active)).toEqual([{ name: 'Lead 7' }]);
  await keysStillDo(url);
});

/** Keys of before keep what they could do: taking in, and erasing, were parts of changing. */
async function keysStillDo(url: string): Promise<void> {
  const pool = createPool({ connectionString: url, max: 2, applicationName: 'upgrade', onError: () => undefined });
  const prisma = createPrisma(pool);
  try {
    const [old] = await query(url, `SELECT scopes FROM api_key WHERE name = 'old'`);
    expect(old?.['scopes']).toEqual(
      expect.arrayContaining(['leads:write', 'leads:read', 'leads:create', 'leads:erase']),
    );
    const { token } = await createKey(prisma, { organizationId: 'org-1', name: 'n', scopes: ['ops'], expiresAt: null });
    expect(await createKeyring({ pool, log: recordLog().log }).verify(token, 'x')).toMatchObject({ scopes: ['ops'] });
  } finally {
    await prisma.$disconnect();
    await pool.end();
  }
}

const apply = (url: string, folder: string) =>
  query(url, readFileSync(join(MIGRATIONS, folder, 'migration.sql'), 'utf8'));

async function create(url: string): Promise<void> {
  const name = new URL(url).pathname.slice(1);
  await query(url.replace(`/${name}`, '/postgres'), `CREATE DATABASE ${name}`);
}
