import type { Pool } from 'pg';
import type { Statement } from './statements.ts';

interface Plan {
  'Index Name'?: string;
  'Index Cond'?: string;
  Plans?: Plan[];
}

/**
 * The indexes of a statement's plan, each with what it looks up in it.
 * @param organizationId whose rows the role of the pool may see
 */
export async function explain(pool: Pool, { text, values }: Statement, organizationId = ''): Promise<string[]> {
  const client = await pool.connect();
  try {
    await client.query('BEGIN; SET LOCAL enable_seqscan = off');
    await client.query(`SELECT set_config('app.organization_id', $1, true)`, [organizationId]);
    const { rows } = await client.query<{ 'QUERY PLAN': [{ Plan: Plan }] }>(`EXPLAIN (FORMAT JSON) ${text}`, values);
    const steps = (plan: Plan): Plan[] => [plan, ...(plan.Plans ?? []).flatMap(steps)];
    const used = steps(rows[0]?.['QUERY PLAN'][0].Plan ?? {}).filter((plan) => plan['Index Name'] !== undefined);
    return used.map((plan) => `${plan['Index Name'] ?? ''}: ${plan['Index Cond'] ?? ''}`);
  } finally {
    await client.query('ROLLBACK');
    client.release();
  }
}
