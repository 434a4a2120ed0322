import type { EnrichmentOutcome, OnboardingRef } from '../../workflows/contract.ts';
import type { Prisma } from '../db/generated/client.ts';
import type { LeadRow } from '../leads/lead.ts';
import type { Enrichment } from '../enrichment/enrich.ts';
import { openStep } from './open-step.ts';
import { ownerKey, recordStep, type StepOwner, stepKey } from './step-record.ts';

/** The outcome is what an earlier run of the step has written, or the command to skip it. */
interface Opened {
  /** Locked until the transaction ends. */
  lead: LeadRow;
  recorded: EnrichmentOutcome | null;
}

interface Started extends Opened {
  /** When its first attempt began. */
  startedAt: Date;
}

/** What an enrichment is part of: where it notes that it began and how it ended. */
export interface EnrichStep<Ref extends StepOwner> {
  /** Names the enrichment, over all its attempts. */
  runOf(ref: Ref): string;
  /** Notes that it begins, unless it is over or has begun. */
  start(tx: Prisma.TransactionClient, ref: Ref): Promise<Started>;
  /** Looks whether it is over. */
  find(tx: Prisma.TransactionClient, ref: Ref): Promise<Opened>;
}

/** The enrichment of a round of an onboarding. */
export const onboardingEnrichment: EnrichStep<OnboardingRef> = {
  runOf: ({ round }) => `round-${round}`,
  find,
  start: async (tx, ref) => noteStart(tx, ref, await find(tx, ref)),
};

/** Notes that an enrichment begins, unless it is over or has begun. */
export async function noteStart(tx: Prisma.TransactionClient, ref: StepOwner, opened: Opened): Promise<Started> {
  const begins = !opened.recorded && (await recordStep(tx, ref, 'enrichment.started', 'enrichment.started'));
  if (opened.recorded || begins) return { ...opened, startedAt: new Date() };
  const { at } = await tx.leadEvent.findUniqueOrThrow({
    where: { leadId_stepKey: { leadId: ref.leadId, stepKey: stepKey(ownerKey(ref), 'enrichment.started') } },
    select: { at: true },
  });
  return { ...opened, startedAt: at };
}

async function find(tx: Prisma.TransactionClient, ref: OnboardingRef): Promise<Opened> {
  const { lead, recorded } = await openStep(tx, ref, 'enrichment');
  return { lead, recorded: recorded && enrichmentOutcome(recorded.type) };
}

/** Notes how an enrichment ended, in the transaction that stores what it found. */
export async function recordEnrichment(
  tx: Prisma.TransactionClient,
  ref: StepOwner,
  run: string,
  { fields, providers, outcome }: Pick<Enrichment, 'fields' | 'providers' | 'outcome'>,
): Promise<void> {
  await tx.enrichmentRun.deleteMany({ where: { leadId: ref.leadId, run } });
  await recordStep(tx, ref, 'enrichment', `enrichment.${outcome}`, {
    fields: Object.keys(fields),
    providers: providers as unknown as Prisma.InputJsonArray,
  });
}

/** `enrichment.partial` → `partial`. */
export function enrichmentOutcome(eventType: string): EnrichmentOutcome {
  const outcomes: EnrichmentOutcome[] = ['completed', 'partial', 'skipped'];
  const outcome = outcomes.find((name) => eventType === `enrichment.${name}`);
  if (!outcome) throw new Error(`${eventType} is not the outcome of an enrichment`);
  return outcome;
}
