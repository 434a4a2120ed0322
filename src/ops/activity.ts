import type { Pool } from 'pg';
import { UUID } from 'uuidv7';
import type { OnboardingState } from '../../workflows/contract.ts';
import { stepKey } from '../onboarding/step-record.ts';

/** Leads that one answer has: the newest, older ones whose runs were looked at last, and those whose steps ended last. */
const NEWEST = 200;
const UNDER_WAY = 100;
const MOVED = 100;
/** Attempts and leads that are counted for the minutes, the newest: a day of ten million has 7,000 leads a minute. */
const COUNTED = 50_000;

/** How far a lead has come in the present round of its onboarding. */
export const STAGES = ['created', 'notified', 'enriching', 'enriched', 'scored'] as const;
export type Stage = (typeof STAGES)[number];

interface MovingLead {
  leadId: string;
  organizationId: string;
  priority: string;
  state: OnboardingState;
  round: number;
  stage: Stage;
  since: Date;
}

/** Seconds, of the attempts that ended well: half, and all but a twentieth, were not slower. */
export interface StepTimes {
  step: string;
  attempts: number;
  p50: number;
  p95: number;
}

export interface Minute {
  at: Date;
  created: number;
  scored: number;
  failed: number;
  steps: StepTimes[];
}

/**
 * What happens now: where the newest leads are, and what each of the last minutes saw. Ids, counts and times, nothing of
 * a person. Attempts are known a second after their end.
 * @param minutes how many, the present one with them
 */
export async function readActivity(pool: Pool, minutes: number) {
  const [leads, seen] = await Promise.all([readMoving(pool), readMinutes(pool, minutes)]);
  return {
    leads: leads.map(({ since, ...lead }) => ({ ...lead, since: since.toISOString() })),
    minutes: seen.map(({ at, ...minute }) => ({ at: at.toISOString(), ...minute })),
  };
}

/** The stage is the newest of the round's entries; each is found by its key. */
async function readMoving(pool: Pool): Promise<MovingLead[]> {
  const key = (step: Parameters<typeof stepKey>[1]) => `o.round || '${stepKey('', step)}'`;
  const { rows } = await pool.query<MovingLead>({
    name: 'ops_moving',
    text: `
      SELECT o.lead_id AS "leadId", o.organization_id AS "organizationId", lead.priority, o.state, o.round,
             CASE WHEN score.at IS NOT NULL THEN 'scored' WHEN enriched.at IS NOT NULL THEN 'enriched'
                  WHEN enriching.at IS NOT NULL THEN 'enriching' WHEN notified.at IS NOT NULL THEN 'notified'
                  ELSE 'created' END AS stage,
             coalesce(score.at, enriched.at, enriching.at, notified.at, lead.created_at) AS since
      FROM (SELECT id FROM (SELECT id FROM lead ORDER BY id DESC LIMIT ${NEWEST}) AS newest
            UNION
            SELECT lead_id FROM (SELECT lead_id, run FROM watch ORDER BY look_after DESC LIMIT ${UNDER_WAY}) AS watched
            WHERE run = 'onboarding'
            UNION
            SELECT lead_id FROM (SELECT lead_id FROM step_attempt WHERE ended_at > now() - interval '1 minute'
                                 ORDER BY ended_at DESC LIMIT ${MOVED}) AS moved) AS shown
      JOIN lead ON lead.id = shown.id
      JOIN onboarding o ON o.lead_id = shown.id
      LEFT JOIN lead_event notified ON notified.lead_id = o.lead_id AND notified.step_key = ${key('notification')}
      LEFT JOIN lead_event enriching ON enriching.lead_id = o.lead_id AND enriching.step_key = ${key('enrichment.started')}
      LEFT JOIN lead_event enriched ON enriched.lead_id = o.lead_id AND enriched.step_key = ${key('enrichment')}
      LEFT JOIN lead_event score ON score.lead_id = o.lead_id AND score.step_key = ${key('score')}
      ORDER BY since DESC, o.lead_id`,
  });
  return rows;
}

/** Leads by the time in their ids (UUID v7), and so by the primary key; attempts and failures by their indexes. */
async function readMinutes(pool: Pool, minutes: number): Promise<Minute[]> {
  const firstId = UUID.fromFieldsV7(Date.now() - minutes * 60_000, 0, 0, 0).toString();
  const from = `now() - $1::int * interval '1 minute'`;
  const { rows } = await pool.query<Minute>({
    name: 'ops_minutes',
    text: `
      WITH created AS (
        SELECT date_trunc('minute', created_at) AS at, count(*)::int AS count
        FROM (SELECT created_at FROM lead WHERE id >= $2 ORDER BY id DESC LIMIT ${COUNTED}) AS l GROUP BY 1),
      failed AS (
        SELECT date_trunc('minute', at) AS at, count(*)::int AS count
        FROM (SELECT at FROM onboarding_failure WHERE at >= ${from} ORDER BY at DESC LIMIT ${COUNTED}) AS f GROUP BY 1),
      step AS (
        SELECT date_trunc('minute', ended_at) AS at, step, count(*)::int AS attempts,
               percentile_disc(0.5) WITHIN GROUP (ORDER BY seconds) AS p50,
               percentile_disc(0.95) WITHIN GROUP (ORDER BY seconds) AS p95
        FROM (SELECT ended_at, step, outcome, extract(epoch FROM ended_at - started_at)::float8 AS seconds
              FROM step_attempt WHERE ended_at >= ${from} ORDER BY ended_at DESC LIMIT ${COUNTED}) AS a
        WHERE outcome = 'completed' GROUP BY 1, 2),
      steps AS (
        SELECT at, jsonb_agg(jsonb_build_object('step', step, 'attempts', attempts, 'p50', p50, 'p95', p95)
                             ORDER BY step) AS steps, sum(attempts) FILTER (WHERE step = 'scoreLead')::int AS scored
        FROM step GROUP BY at)
      SELECT at, coalesce(created.count, 0) AS created, coalesce(scored, 0) AS scored,
             coalesce(failed.count, 0) AS failed, coalesce(steps, '[]') AS steps
      FROM generate_series(date_trunc('minute', now()) - ($1::int - 1) * interval '1 minute',
                           date_trunc('minute', now()), '1 minute') AS minute (at)
      LEFT JOIN created USING (at) LEFT JOIN failed USING (at) LEFT JOIN steps USING (at) ORDER BY at`,
    values: [minutes, firstId],
  });
  return rows;
}
