import { ApplicationFailure } from '@temporalio/activity';
import { FAILURES } from '../../workflows/contract.ts';
import type { EnrichmentRef, ScoreAfterEnrichment } from '../../workflows/enrichment-contract.ts';
import type { LeadEvent, Prisma } from '../db/generated/client.ts';
import { storedEnrichment } from '../enrichment/keep-enrichment.ts';
import type { LeadRow } from '../leads/lead.ts';
import { lockLead } from '../leads/lock-lead.ts';
import { endWatch, WATCHED } from '../outbox/watch.ts';
import { calculateScore } from '../scoring/calculate.ts';
import { breakdownOf, recordScores } from '../scoring/record.ts';
import type { RuleBook } from '../scoring/rule-book.ts';
import { type EnrichStep, enrichmentOutcome, noteStart } from './enrichment-step.ts';
import { recordStep, type Step, stepKey } from './step-record.ts';

/** The enrichment of a lead whose onboarding is over: its state stays as it is. */
export const enrichAgainStep: EnrichStep<EnrichmentRef> = {
  runOf: ({ run }) => `again-${run}`,
  find,
  start: async (tx, ref) => noteStart(tx, ref, await find(tx, ref)),
};

async function find(tx: Prisma.TransactionClient, ref: EnrichmentRef) {
  const { lead, recorded } = await open(tx, ref, 'enrichment');
  return { lead, recorded: recorded && enrichmentOutcome(recorded.type) };
}

/** Scores a lead by what is known now. A second run answers what the first one wrote. */
export async function recordScoreAfterEnrichment(
  tx: Prisma.TransactionClient,
  ref: EnrichmentRef,
  ruleBook: RuleBook,
): Promise<ScoreAfterEnrichment> {
  const { lead, recorded } = await open(tx, ref, 'score');
  if (recorded) {
    const { score, band } = recorded.data as unknown as ScoreAfterEnrichment;
    return { score, band };
  }
  const { version, rules } = await ruleBook.inForce(tx, lead.organizationId);
  const calculated = calculateScore(rules, lead, storedEnrichment(lead)?.fields ?? {});
  const { score, band, lines } = calculated;
  const origin = { organizationId: lead.organizationId, version, rules, cause: 'ENRICHMENT' } as const;
  await recordScores(tx, origin, [{ leadId: lead.id, calculated }]);
  const breakdown = breakdownOf(lines) as unknown as Prisma.InputJsonArray;
  await recordStep(tx, ref, 'score', 'score.calculated', { score, band, ruleVersion: version, breakdown });
  await endWatch(tx, ref.leadId, WATCHED.enrichment(ref.run));
  return { score, band };
}

/** @throws ApplicationFailure `LeadGone`, not to be retried */
async function open(
  tx: Prisma.TransactionClient,
  { leadId, run }: EnrichmentRef,
  step: Step,
): Promise<{ lead: LeadRow; recorded: LeadEvent | null }> {
  const lead = await lockLead(tx, leadId);
  if (!lead) throw ApplicationFailure.nonRetryable(`Lead ${leadId} does not exist`, FAILURES.leadGone);
  const where = { leadId_stepKey: { leadId, stepKey: stepKey(`enrichment-${run}`, step) } };
  return { lead, recorded: await tx.leadEvent.findUnique({ where }) };
}
