import type { Pool } from 'pg';

/** Rows of a kind that are looked at: what is waiting may be millions, and is then counted no further. */
const COUNTED = 10_000;

/** What Postgres knows of work under way. No statement looks at leads. */
export interface DatabaseStatistics {
  orders: { kind: string; status: string; orders: number; ageSeconds: number }[];
  onboardings: { state: string; onboardings: number }[];
  circuits: { provider: string; open: boolean }[];
  budgets: { provider: string; used: number }[];
  /** By whether they take what they are told. */
  endpoints: { state: string; endpoints: number }[];
  /** Events that endpoints have not taken yet. */
  setAside: { events: number }[];
}

/** @throws pg errors */
export async function readDatabase(pool: Pool): Promise<DatabaseStatistics> {
  const read = async <Row extends object>(name: string, text: string) =>
    (await pool.query<Row>({ name: `statistics_${name}`, text })).rows;
  return {
    orders: await read(
      'orders',
      `SELECT kind, lower(s.status::text) AS status, count(*)::int AS orders,
              greatest(0, extract(epoch FROM clock_timestamp() - min(created_at)))::float8 AS "ageSeconds"
       FROM unnest(enum_range(NULL::outbox_status)) AS s (status), LATERAL (
         SELECT kind, created_at FROM outbox o WHERE o.status = s.status ORDER BY available_at LIMIT ${COUNTED}) AS o
       GROUP BY kind, s.status`,
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
    endpoints: await read(
      'endpoints',
      `SELECT CASE WHEN paused IS NOT NULL THEN 'paused' WHEN failing_since IS NOT NULL THEN 'failing' ELSE 'active' END AS state,
              count(*)::int AS endpoints FROM webhook_endpoint GROUP BY 1`,
    ),
    setAside: await read(
      'set_aside',
      `SELECT count(*)::int AS events FROM (
         SELECT FROM webhook_delivery WHERE failed_at IS NULL LIMIT ${COUNTED}) AS d`,
    ),
    budgets: await read(
      'budgets',
      `SELECT provider, sum(used)::float8 AS used FROM enrichment_budget
       WHERE day = (clock_timestamp() AT TIME ZONE 'utc')::date GROUP BY provider`,
    ),
  };
}
