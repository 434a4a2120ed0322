import type { Pool } from 'pg';

/** Rows that are looked at: what is waiting may be millions, and is then counted no further. */
const COUNTED = 50_000;

/** What Postgres knows of work under way. No statement looks at leads. */
export interface DatabaseStatistics {
  orders: { kind: string; status: string; orders: number; ageSeconds: number }[];
  onboardings: { state: string; onboardings: number }[];
  circuits: { provider: string; open: boolean }[];
  budgets: { provider: string; used: number }[];
}

/** @throws pg errors */
export async function readDatabase(pool: Pool): Promise<DatabaseStatistics> {
  const read = async <Row extends object>(name: string, text: string) =>
    (await pool.query<Row>({ name: `statistics_${name}`, text })).rows;
  return {
    orders: await read(
      'orders',
      `SELECT kind, lower(status::text) AS status, count(*)::int AS orders,
              greatest(0, extract(epoch FROM clock_timestamp() - min(created_at)))::float8 AS "ageSeconds"
       FROM (SELECT kind, status, created_at FROM outbox ORDER BY status, available_at LIMIT ${COUNTED}) AS o
       GROUP BY kind, status`,
    ),
    onboardings: await read(
      'onboardings',
      `SELECT state, count(*)::int AS onboardings
       FROM (SELECT lead_id FROM watch WHERE run = 'onboarding' LIMIT ${COUNTED}) AS w JOIN onboarding USING (lead_id)
       GROUP BY state`,
    ),
    circuits: await read(
      'circuits',
      `SELECT provider, coalesce(open_until > clock_timestamp(), false) AS open FROM enrichment_circuit`,
    ),
    budgets: await read(
      'budgets',
      `SELECT provider, sum(used)::float8 AS used FROM enrichment_budget
       WHERE day = (clock_timestamp() AT TIME ZONE 'utc')::date GROUP BY provider`,
    ),
  };
}
