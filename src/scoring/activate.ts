import { uuidv7 } from 'uuidv7';
import type { Caller } from '../audit/caller.ts';
import type { Prisma } from '../db/generated/client.ts';
import { recordAudit } from '../audit/record.ts';
import { placeOrder } from '../outbox/place-order.ts';
import { orderFor, toProgress } from './rescore.ts';
import { countScores } from './stored-leads.ts';
import { rulesLock, versionInForce } from './rule-book.ts';
import type { RuleSet } from './rule-set.ts';

export interface Activation {
  organizationId: string;
  rules: RuleSet;
  caller: Caller;
  /** Milliseconds for which relays leave the order to this process. */
  orderDelayMs: number;
}

/**
 * Puts rules in force, as the next version, and orders that all leads that have a score be scored by them. A rescore by
 * older rules that is under way ends.
 *
 * Scores hold the lock on the rules shared until they are committed, so that each of them is either by the new version
 * or there for the rescore to find. The rescore that is under way is ended before that lock is taken: one of its pages
 * may wait for a lead whose score waits for the lock.
 */
export async function activateRules(
  tx: Prisma.TransactionClient,
  { organizationId, rules, caller, orderDelayMs }: Activation,
) {
  const { requestId, userId } = caller;
  await lock(tx, `activation of ${rulesLock(organizationId)}`);
  const superseded = await tx.$queryRaw<{ id: string }[]>`
    UPDATE score_rescore SET state = 'SUPERSEDED', updated_at = clock_timestamp(), finished_at = clock_timestamp()
    WHERE organization_id = ${organizationId} AND state IN ('RUNNING', 'PAUSED') RETURNING id`;
  for (const { id } of superseded) await placeOrder(tx, orderFor({ id, organizationId }, requestId));
  const total = await countScores(tx, organizationId);

  await lock(tx, rulesLock(organizationId));
  const version = (await versionInForce(tx, organizationId)) + 1;
  await tx.scoreRuleSet.create({ data: { organizationId, version, rules, createdBy: userId } });
  const rescore = await tx.scoreRescore.create({
    data: { id: uuidv7(), organizationId, version, total, requestedBy: userId, requestId },
  });
  const entry = { organizationId, action: 'rules.activated', subject: String(version) } as const;
  await recordAudit(tx, entry, caller);
  const order = orderFor(rescore, requestId);
  await placeOrder(tx, order, orderDelayMs);
  return { order, answer: { organizationId, version, rescore: toProgress(rescore) } };
}

async function lock(tx: Prisma.TransactionClient, name: string): Promise<void> {
  await tx.$executeRaw`SELECT pg_advisory_xact_lock(hashtextextended(${name}, 0))`;
}
