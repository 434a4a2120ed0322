import type { Pool } from 'pg';
import { type OnboardingState, onboardingWorkflowId } from '../../workflows/contract.ts';
import { LeadNotFound } from '../leads/errors.ts';
import type { OnboardingRuns } from '../onboarding/runs.ts';

/** Entries of steps that one answer has, the newest: each retry makes some. */
const MAX_ENTRIES = 500;

interface StoredOnboarding {
  organizationId: string;
  state: OnboardingState;
  round: number;
  changedAt: Date;
}

interface StoredEntry {
  type: string;
  step: string;
  at: Date;
  attempt: number | null;
  reason: string | null;
}

/**
 * How the onboarding of a lead went, step by step, and what is under way in Temporal: ids and types, nothing of the
 * person. @throws LeadNotFound
 */
export async function readOnboarding(pool: Pool, runs: OnboardingRuns, leadId: string) {
  const { rows } = await pool.query<StoredOnboarding>(
    `SELECT organization_id AS "organizationId", state, round, changed_at AS "changedAt"
     FROM onboarding WHERE lead_id = $1`,
    [leadId],
  );
  const [onboarding] = rows;
  if (!onboarding) throw new LeadNotFound(leadId);
  const [run, { rows: entries }] = await Promise.all([
    runs.describe(leadId),
    pool.query<StoredEntry>(
      `SELECT type, step_key AS step, at, (metadata->>'attempt')::int AS attempt, data->>'reason' AS reason
       FROM lead_event WHERE lead_id = $1 AND step_key IS NOT NULL ORDER BY at DESC, seq DESC LIMIT ${MAX_ENTRIES}`,
      [leadId],
    ),
  ]);
  return {
    leadId,
    ...onboarding,
    changedAt: onboarding.changedAt.toISOString(),
    workflowId: onboardingWorkflowId(leadId),
    temporalUrl: runs.url(leadId),
    temporal: run.temporal,
    pending: run.pending.map(({ activity, attempt, running, lastError }) => ({
      activity,
      attempt,
      running,
      lastError: lastError?.type ?? null,
    })),
    entries: entries.reverse().map((entry) => ({ ...entry, at: entry.at.toISOString() })),
  };
}
