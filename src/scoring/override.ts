import { uuidv7 } from 'uuidv7';
import type { ScoreBand } from '../../workflows/contract.ts';
import type { Caller } from '../audit/caller.ts';
import type { Prisma } from '../db/generated/client.ts';
import type { LeadRow } from '../leads/lead.ts';
import { LeadNotFound } from '../leads/errors.ts';
import { lockLead } from '../leads/lock-lead.ts';
import { noteActivity } from '../leads/note-activity.ts';
import type { ScoreLine } from './calculate.ts';
import { NotScored } from './errors.ts';
import { putOnLeads } from './record.ts';
import type { RuleBook } from './rule-book.ts';

export interface NewOverride {
  /** From 0 to 100. */
  score: number;
  reason: string;
}

interface OverrideContext {
  caller: Caller;
  ruleBook: RuleBook;
}

/**
 * Puts a person's score in the place of the calculated one, until it is taken away or replaced: scores that are
 * calculated meanwhile go into the history only.
 * @throws LeadNotFound, NotScored
 */
export async function setOverride(
  tx: Prisma.TransactionClient,
  leadId: string,
  { score, reason }: NewOverride,
  context: OverrideContext,
): Promise<void> {
  const lead = await lockScored(tx, leadId);
  const { organizationId } = lead;
  await endOverride(tx, leadId, context.caller);
  const data = { id: uuidv7(), leadId, organizationId, score, reason, setBy: context.caller.userId };
  await tx.scoreOverride.create({ data });
  await putInForce(tx, lead, context);
  await recordChange(tx, lead, 'score.overridden', { from: lead.score, to: score }, context.caller);
}

/**
 * Takes a person's score away, so that the calculated one counts again. Without one it does nothing.
 * @throws LeadNotFound
 */
export async function removeOverride(
  tx: Prisma.TransactionClient,
  leadId: string,
  context: OverrideContext,
): Promise<void> {
  const lead = await lockLead(tx, leadId);
  if (!lead) throw new LeadNotFound(leadId);
  if (!(await endOverride(tx, leadId, context.caller))) return;
  const to = await putInForce(tx, lead, context);
  await recordChange(tx, lead, 'score.override-removed', { from: lead.score, to }, context.caller);
}

async function lockScored(tx: Prisma.TransactionClient, leadId: string): Promise<LeadRow> {
  const lead = await lockLead(tx, leadId);
  if (!lead) throw new LeadNotFound(leadId);
  if (lead.score === null) throw new NotScored(leadId);
  return lead;
}

/** @returns whether there was one */
async function endOverride(tx: Prisma.TransactionClient, leadId: string, caller: Caller): Promise<boolean> {
  const ended = await tx.$executeRaw`
    UPDATE score_override SET ended_at = clock_timestamp(), ended_by = ${caller.userId}
    WHERE lead_id = ${leadId}::uuid AND ended_at IS NULL`;
  return ended > 0;
}

/** @returns the score that was calculated last */
async function putInForce(
  tx: Prisma.TransactionClient,
  { id: leadId, organizationId }: LeadRow,
  { ruleBook }: OverrideContext,
): Promise<number> {
  const { rules } = await ruleBook.inForce(tx, organizationId);
  const latest = await tx.score.findFirstOrThrow({ where: { leadId }, orderBy: [{ at: 'desc' }, { id: 'desc' }] });
  const calculated = {
    ...latest,
    band: latest.band as ScoreBand,
    lines: latest.lines as unknown as ScoreLine[],
  };
  await putOnLeads(tx, rules.set.bands, [{ leadId, calculated }]);
  return latest.score;
}

/** What a person gave as the reason is not on the timeline: it stands with the override alone. */
async function recordChange(
  tx: Prisma.TransactionClient,
  { id: leadId, organizationId }: LeadRow,
  type: 'score.overridden' | 'score.override-removed',
  data: { from: number | null; to: number },
  caller: Caller,
): Promise<void> {
  await tx.leadEvent.create({
    data: { id: uuidv7(), leadId, organizationId, type, data, metadata: { ...caller } },
  });
  await noteActivity(tx, leadId);
}
