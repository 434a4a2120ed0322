import type { Pool } from 'pg';
import { v7 as uuidv7 } from 'uuid';
import type { LeadPriority } from '../../workflows/contract.ts';
import type { LeadSource } from '../leads/lead.ts';
import type { StartOrder } from './order.ts';

/** A lead whose onboarding is not over. */
export interface UnfinishedLead {
  leadId: string;
  organizationId: string;
  round: number;
  priority: LeadPriority;
  source: LeadSource;
}

/** Unfinished leads without an order to start them, unchanged for `patienceMs`; a page in the order of their ids. */
export async function unfinishedLeads(
  pool: Pool,
  { after, limit, patienceMs }: { after: string; limit: number; patienceMs: number },
): Promise<UnfinishedLead[]> {
  const { rows } = await pool.query<UnfinishedLead>(
    `SELECT id AS "leadId", organization_id AS "organizationId", onboarding_round AS round, priority, source
     FROM lead
     WHERE onboarding_state IN ('PENDING', 'RUNNING') AND updated_at < now() - $3 * interval '1 millisecond'
       AND id > $1 AND NOT EXISTS (SELECT 1 FROM outbox WHERE lead_id = lead.id AND kind = 'START_ONBOARDING')
     ORDER BY id LIMIT $2`,
    [after, limit, patienceMs],
  );
  return rows;
}

/** Orders the same round of a lead's onboarding once more; steps that it has taken are not taken again. */
export async function orderAgain(
  pool: Pool,
  { leadId, organizationId, round, priority, source }: UnfinishedLead,
  order: { enrichmentDelayMs: number; requestId: string },
): Promise<void> {
  const payload: StartOrder['payload'] = { round, priority, source, again: true, ...order };
  await pool.query(
    `INSERT INTO outbox (id, lead_id, organization_id, kind, payload) VALUES ($1, $2, $3, 'START_ONBOARDING', $4)`,
    [uuidv7(), leadId, organizationId, JSON.stringify(payload)],
  );
}
