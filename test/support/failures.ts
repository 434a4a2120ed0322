import { randomUUID } from 'node:crypto';
import type { TestDatabase } from './database.ts';

export interface FailedLeads {
  organizationId: string;
  leads: number;
  /** `FAILED` of the score, or `PARTIAL` of the enrichment. */
  step?: 'score' | 'enrich';
  errorType?: string;
}

/** Stores leads whose onboarding failed, as its steps would have left them. @returns their ids */
export async function storeFailed(
  { pool, prisma }: TestDatabase,
  { organizationId, leads, step = 'score', errorType = 'Timeout:START_TO_CLOSE' }: FailedLeads,
): Promise<string[]> {
  const ids = Array.from({ length: leads }, () => randomUUID());
  await pool.query(
    `WITH filled AS (
       INSERT INTO lead (id, organization_id, name, email, email_key, phone)
       SELECT id, $2, 'Hidden Person', id || '@hidden.example', id || '@hidden.example', '+5511999990000'
       FROM unnest($1::uuid[]) AS id RETURNING id, organization_id)
     INSERT INTO onboarding (lead_id, organization_id, state) SELECT id, organization_id, 'RUNNING' FROM filled`,
    [ids, organizationId],
  );
  const [key, type, state] =
    step === 'score'
      ? (['1/outcome', 'onboarding.failed', 'FAILED'] as const)
      : (['1/enrichment', 'enrichment.partial', 'PARTIAL'] as const);
  const event = { organizationId, type, stepKey: key, data: { reason: errorType } };
  await prisma.leadEvent.createMany({ data: ids.map((leadId) => ({ id: randomUUID(), leadId, ...event })) });
  await pool.query('UPDATE onboarding SET state = $2 WHERE lead_id = ANY ($1)', [ids, state]);
  return ids;
}
