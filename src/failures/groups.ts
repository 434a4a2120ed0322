import { z } from '@hono/zod-openapi';
import type { Pool } from 'pg';
import { FAILED_STEPS, type FailureFilter, toCondition } from './filter.ts';

/** Groups that one answer has; an outage makes a few, and people read no more. */
const MAX_GROUPS = 200;

export const failureGroupSchema = z
  .object({
    step: z.enum(FAILED_STEPS),
    errorType: z.string(),
    organizationId: z.string(),
    leads: z.number().int(),
    newestAt: z.iso.datetime(),
  })
  .openapi('FailureGroup');

type Group = z.infer<typeof failureGroupSchema>;

/** Onboardings that stand as `FAILED` or `PARTIAL`, by what they failed of, the largest groups first. */
export async function groupFailures(pool: Pool, filter: FailureFilter): Promise<{ items: Group[]; complete: boolean }> {
  const condition = toCondition(filter);
  const { rows } = await pool.query<Omit<Group, 'newestAt'> & { newestAt: Date }>(
    `SELECT step, error_type AS "errorType", organization_id AS "organizationId", count(*)::int AS leads,
            max(at) AS "newestAt"
     FROM onboarding_failure WHERE ${condition.text}
     GROUP BY step, error_type, organization_id ORDER BY leads DESC, "newestAt" DESC LIMIT ${MAX_GROUPS + 1}`,
    condition.values,
  );
  const items = rows.slice(0, MAX_GROUPS).map((row) => ({ ...row, newestAt: row.newestAt.toISOString() }));
  return { items, complete: rows.length <= MAX_GROUPS };
}
