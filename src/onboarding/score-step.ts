import type { ScoreInput, ScoreResult } from '../../workflows/contract.ts';
import type { Prisma } from '../db/generated/client.ts';
import type { Enrichment } from '../enrichment/enrich.ts';
import { calculateScore } from '../scoring/calculate.ts';
import { breakdownOf, recordScores } from '../scoring/record.ts';
import type { RuleBook } from '../scoring/rule-book.ts';
import { onboardingEnrichment } from './enrichment-step.ts';
import { recordNotificationFailure } from './notification-step.ts';
import { openStep } from './open-step.ts';
import { endOnboarding, settledState } from './outcome.ts';
import { reasonOf, recordStep } from './step-record.ts';

/**
 * Scores a lead, notes the steps that gave up without a word of their own, and, unless the notification is still out,
 * ends the onboarding: all in one transaction. A second run answers what the first one wrote.
 */
export async function recordScore(
  tx: Prisma.TransactionClient,
  input: ScoreInput,
  ruleBook: RuleBook,
): Promise<ScoreResult> {
  const { lead, recorded } = await openStep(tx, input, 'score');
  if (recorded) return toResult(recorded.data as unknown as ScoreResult);

  const enrichment = lead.enrichment as Enrichment | null;
  const { version, rules } = await ruleBook.inForce(tx, lead.organizationId);
  const calculated = calculateScore(rules, lead, enrichment?.fields ?? {});
  const { score, band, lines } = calculated;
  const { notification } = input;
  const state =
    notification.outcome === 'pending' ? 'RUNNING' : settledState(input.enrichment.outcome, notification.outcome);

  const ended = `enrichment.${input.enrichment.outcome}` as const;
  if (await recordStep(tx, input, 'enrichment', ended, reasonOf(input.enrichment))) {
    await tx.enrichmentRun.deleteMany({ where: { leadId: lead.id, run: onboardingEnrichment.runOf(input) } });
  }
  if (notification.outcome === 'failed') await recordNotificationFailure(tx, input, notification);
  const origin = { organizationId: lead.organizationId, version, rules, cause: 'ONBOARDING' } as const;
  await recordScores(tx, origin, [{ leadId: lead.id, calculated }]);
  const breakdown = breakdownOf(lines) as unknown as Prisma.InputJsonArray;
  await recordStep(tx, input, 'score', 'score.calculated', { score, band, state, ruleVersion: version, breakdown });
  if (state !== 'RUNNING') {
    await endOnboarding(tx, lead.id, state);
    await recordStep(tx, input, 'outcome', 'onboarding.completed', { state });
  }
  return { score, band, state };
}

const toResult = ({ score, band, state }: ScoreResult): ScoreResult => ({ score, band, state });
