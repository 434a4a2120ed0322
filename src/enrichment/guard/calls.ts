import type { PrismaClient } from '../../db/generated/client.ts';
import type { Answer, Subject } from '../provider.ts';

/** Requests that leave for one enrichment of a lead, over all its sources and attempts. */
export const MAX_CALLS = 6;

const REASONS = ['call-limit', 'budget-exhausted', 'store-unavailable'] as const;

/** A request that must not leave. */
export class CallRefused extends Error {
  override name = 'CallRefused';
  readonly reason: (typeof REASONS)[number];

  constructor(reason: CallRefused['reason']) {
    super(reason);
    this.reason = reason;
  }
}

/** Whether an answer is one of ours, because a request was refused: it says nothing of the provider. */
export const isRefusal = (answer: Answer): boolean =>
  'reason' in answer && REASONS.some((reason) => reason === answer.reason);

/**
 * Counts a request before it leaves: for the lead, and for its organization's day with the provider. What was counted
 * and then not sent, because the process died, stays counted.
 * @throws CallRefused
 */
export async function takeCall(
  prisma: PrismaClient,
  { leadId, organizationId, run }: Subject,
  provider: string,
  dailyBudget: number,
): Promise<void> {
  if (dailyBudget < 1) throw new CallRefused('budget-exhausted');
  const [taken] = await prisma.$queryRaw<{ call: boolean; budget: boolean }[]>`
    WITH call AS (
      INSERT INTO enrichment_run AS r (lead_id, run, organization_id, calls)
      VALUES (${leadId}::uuid, ${run}, ${organizationId}, 1)
      ON CONFLICT (lead_id, run) DO UPDATE SET calls = r.calls + 1 WHERE r.calls < ${MAX_CALLS}
      RETURNING 1),
    budget AS (
      INSERT INTO enrichment_budget AS b (organization_id, provider, day, used)
      SELECT ${organizationId}, ${provider}, (clock_timestamp() AT TIME ZONE 'utc')::date, 1 FROM call
      ON CONFLICT (organization_id, provider, day) DO UPDATE SET used = b.used + 1 WHERE b.used < ${dailyBudget}
      RETURNING 1)
    SELECT EXISTS (SELECT FROM call) AS call, EXISTS (SELECT FROM budget) AS budget`;
  if (taken?.call !== true) throw new CallRefused('call-limit');
  if (!taken.budget) throw new CallRefused('budget-exhausted');
}
