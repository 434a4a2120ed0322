import type { Pool } from 'pg';
import type { OnboardingRef, ScoreInput, ScoreResult } from '../../workflows/contract.ts';
import type { EnrichmentRef, ScoreAfterEnrichment } from '../../workflows/enrichment-contract.ts';
import type { PrismaClient } from '../db/generated/client.ts';
import type { Enrichment } from '../enrichment/enrich.ts';
import { WATCHED } from '../outbox/watch.ts';
import { BUILT_IN_VERSION } from '../scoring/built-in.ts';
import { calculateScore } from '../scoring/calculate.ts';
import type { ScoredLead } from '../scoring/fields.ts';
import { breakdownOf, toHistory, toPresent } from '../scoring/record.ts';
import type { RuleBook } from '../scoring/rule-book.ts';
import { callStep, leadGone } from './call-step.ts';
import { runOf } from './enrichment-step.ts';
import { settledState } from './outcome.ts';
import { reasonOf } from './step-record.ts';

export interface ScoreDependencies {
  pool: Pool;
  /** For rules that this process has not read yet. */
  prisma: PrismaClient;
  ruleBook: RuleBook;
}

/** What a score is calculated from, besides the lead itself. */
interface Basis {
  version: number;
  enrichment: Pick<Enrichment, 'fields'> | null;
  rules: number | null;
  /** A person's score, which counts in its place. */
  override: number | null;
}

/** What the score belongs to, and what goes with it onto the timeline. */
interface Purpose {
  cause: 'ONBOARDING' | 'ENRICHMENT';
  /** Beside the score in its entry. */
  entry: object;
  /** What else the step writes, as `record_score` takes it. */
  rest: object;
}

/**
 * Scores a lead, notes the steps that gave up without a word of their own, and, unless the notification is still out,
 * ends the onboarding: all in one transaction. A second run answers what the first one wrote.
 */
export async function recordScore(deps: ScoreDependencies, input: ScoreInput): Promise<ScoreResult> {
  const { enrichment, notification } = input;
  const state = notification.outcome === 'pending' ? 'RUNNING' : settledState(enrichment.outcome, notification.outcome);
  const gaveUp = { type: `enrichment.${enrichment.outcome}`, data: reasonOf(enrichment), run: runOf(input) };
  const { score, band, ...recorded } = await writeScore(deps, input, {
    cause: 'ONBOARDING',
    entry: { state },
    rest: {
      enrichment: gaveUp,
      ...(notification.outcome === 'failed' && { notificationFailed: reasonOf(notification) }),
      ...(state !== 'RUNNING' && { state, watched: WATCHED.onboarding }),
    },
  });
  return { score, band, state: recorded.state ?? state };
}

/** Scores a lead by what is known after another enrichment. A second run answers what the first one wrote. */
export async function recordScoreAfterEnrichment(
  deps: ScoreDependencies,
  ref: EnrichmentRef,
): Promise<ScoreAfterEnrichment> {
  const rest = { watched: WATCHED.enrichment(ref.run) };
  const { score, band } = await writeScore(deps, ref, { cause: 'ENRICHMENT', entry: {}, rest });
  return { score, band };
}

/** Reads, calculates and writes, until nothing has changed in between. */
async function writeScore(
  { pool, prisma, ruleBook }: ScoreDependencies,
  ref: OnboardingRef | EnrichmentRef,
  { cause, entry, rest }: Purpose,
): Promise<ScoreAfterEnrichment & Partial<Pick<ScoreResult, 'state'>>> {
  const { leadId, organizationId } = ref;
  for (;;) {
    const { lead, basis } = await readBasis(pool, leadId);
    const { version, rules } = await ruleBook.load(prisma, organizationId, basis.rules ?? BUILT_IN_VERSION);
    const calculated = calculateScore(rules, lead, basis.enrichment?.fields ?? {});
    const { score, band, lines } = calculated;
    const row = { leadId, calculated };
    const answer = await callStep<{ recorded: { data: ScoreResult } | null }>(pool, 'record_score', ref, basis, {
      cause,
      rules: version,
      history: [toHistory(row)],
      present: [toPresent(row, basis.override ?? undefined, rules.set.bands)],
      entry: { score, band, ...entry, ruleVersion: version, breakdown: breakdownOf(lines) },
      ...rest,
    });
    if (answer.status === 'recorded' && answer.recorded) return answer.recorded.data;
    if (answer.status === 'open') return { score, band };
  }
}

async function readBasis(pool: Pool, leadId: string): Promise<{ lead: ScoredLead; basis: Basis }> {
  const { rows } = await pool.query<{ lead: ScoredLead; basis: Basis }>({
    name: 'score_basis',
    text: 'SELECT to_jsonb(v) AS lead, score_basis(v) AS basis FROM lead_view v WHERE id = $1',
    values: [leadId],
  });
  const [read] = rows;
  if (!read) throw leadGone(leadId);
  return read;
}
