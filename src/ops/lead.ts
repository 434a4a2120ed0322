import type { Pool } from 'pg';
import type { PrismaClient } from '../db/generated/client.ts';
import { type OnboardingState, onboardingWorkflowId } from '../../workflows/contract.ts';
import type { StoredEnrichment } from '../enrichment/stored.ts';
import { LeadNotFound } from '../leads/errors.ts';
import { readAttempts } from '../onboarding/attempts/read.ts';
import type { OnboardingRuns } from '../onboarding/runs.ts';
import { KEPT_SCORES } from '../scoring/sweep-scores.ts';

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

export interface LeadSources {
  pool: Pool;
  prisma: PrismaClient;
  runs: OnboardingRuns;
}

/**
 * How the onboarding of a lead went, step by step and attempt by attempt, what is under way in Temporal, which source
 * gave which field, and the scores that it has had: ids, types and numbers, nothing of the person. @throws LeadNotFound
 */
export async function readOnboarding({ pool, prisma, runs }: LeadSources, leadId: string) {
  const { rows } = await pool.query<StoredOnboarding>(
    `SELECT organization_id AS "organizationId", state, round, changed_at AS "changedAt"
     FROM onboarding WHERE lead_id = $1`,
    [leadId],
  );
  const [onboarding] = rows;
  if (!onboarding) throw new LeadNotFound(leadId);
  const [run, attempts, enrichment, scores, { rows: entries }] = await Promise.all([
    runs.describe(leadId),
    readAttempts(prisma, leadId),
    readSources(pool, leadId),
    readScores(pool, leadId),
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
    attempts,
    enrichment,
    scores,
  };
}

/** Who was asked, and who gave which field; not what was found. @returns null before the first enrichment */
async function readSources(pool: Pool, leadId: string) {
  const { rows } = await pool.query<{ document: StoredEnrichment }>(
    'SELECT document FROM lead_enrichment WHERE lead_id = $1',
    [leadId],
  );
  const [row] = rows;
  if (!row) return null;
  const { outcome = null, providers, fields } = row.document;
  return {
    outcome,
    providers: providers.map(({ provider, answer, reason = null }) => ({ provider, answer, reason })),
    fields: Object.entries(fields).map(([field, { source, confidence }]) => ({ field, source, confidence })),
  };
}

interface StoredScore {
  at: Date;
  score: number;
  band: string;
  cause: string;
  ruleVersion: number;
  lines: { rule: string; points: number }[];
}

/** The newest, the oldest of them first. A rule's reasons are its organization's words, and stay there. */
async function readScores(pool: Pool, leadId: string) {
  const { rows } = await pool.query<StoredScore>(
    `SELECT at, score, band, cause, rule_version AS "ruleVersion",
            (SELECT coalesce(jsonb_agg(jsonb_build_object('rule', l->>'rule', 'points', (l->>'points')::int)), '[]')
             FROM jsonb_array_elements(lines) AS l) AS lines
     FROM score WHERE lead_id = $1 ORDER BY at DESC, id DESC LIMIT ${KEPT_SCORES}`,
    [leadId],
  );
  return rows.reverse().map((row) => ({ ...row, at: row.at.toISOString() }));
}
