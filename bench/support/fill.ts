import pg from 'pg';

const CHUNK = 50_000;

const FILL = `
  WITH filled AS (
    INSERT INTO lead (id, organization_id, name, email, email_key, phone, company, status, source, assigned_to, created_at)
    SELECT gen_random_uuid(), $1, initcap(substr(md5(n::text), 1, 8)) || ' ' || (ARRAY['Silva', 'Souza', 'Lima'])[1 + n % 3],
           substr(md5(n::text), 1, 12) || '@example.com', n || '@example.com', '+5511' || (900000000 + n), 'Company ' || n % 5000,
           (ARRAY['NEW', 'CONTACTED', 'QUALIFIED'])[1 + n % 3], (ARRAY['WEBSITE', 'FORM', 'ADS', 'EVENT'])[1 + n % 4],
           'user-' || n % 40, timestamptz '2026-01-01' + n * interval '1 second'
    FROM generate_series($2::int, $3::int) AS n RETURNING id, created_at),
  onboarded AS (
    INSERT INTO onboarding (lead_id, organization_id, state) SELECT id, $1, 'COMPLETED' FROM filled)
  INSERT INTO lead_score (lead_id, organization_id, score, band, breakdown, lead_created_at)
  SELECT id, $1, 40, (ARRAY['WARM', 'COLD'])[1 + (random())::int], '[{"points": 40}]', created_at FROM filled`;

/** Fills a database with leads that have been onboarded, one for each second from the start of 2026 on. */
export async function fillLeads(url: string, organizationId: string, leads: number): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  for (let from = 1; from <= leads; from += CHUNK) {
    await client.query(FILL, [organizationId, from, Math.min(leads, from + CHUNK - 1)]);
  }
  await client.query('VACUUM ANALYZE');
  await client.end();
}
