import type { Pool } from 'pg';
import type { BulkRetryInput, BulkRetryPageResult } from '../../workflows/retry-contract.ts';
import type { Caller } from '../audit/caller.ts';
import type { BulkRetry, Prisma, PrismaClient } from '../db/generated/client.ts';
import { LeadNotFound } from '../leads/errors.ts';
import { lockLead } from '../leads/lock-lead.ts';
import { acceptCommand, CommandImpossible } from '../onboarding/command.ts';
import { lockBulkRetry } from './bulk-retry.ts';

/** Leads of a retry that are onboarded at once: what workers cannot keep up with waits in Postgres. */
const MAX_UNDER_WAY = 200;
/** Between two pages while leads are retried. */
const PAGE_MS = 1_000;
/** Between two looks while those that were retried are waited for: a receiver of notifications may be down for a day. */
const WAIT_MS = { atFirst: 2_000, atMost: 60_000 };

export interface RetryPageDependencies {
  pool: Pool;
  prisma: PrismaClient;
  /** Ends the page early: what it has not reached waits for the next. */
  signal: AbortSignal;
}

/**
 * Notes what became of the leads that were retried, and retries the next ones. Each lead is retried in a transaction with
 * the note that it was, so however often, and by however many, this is called, each is retried once.
 */
export async function retryPage(
  deps: RetryPageDependencies,
  { retryId }: BulkRetryInput,
): Promise<BulkRetryPageResult> {
  const { pool, prisma } = deps;
  await settle(pool, retryId);
  const retry = await prisma.bulkRetry.findUnique({ where: { id: retryId } });
  if (!retry || retry.finishedAt) return { next: 'end', afterMs: 0 };
  const underWay = await prisma.bulkRetryLead.count({ where: { retryId, outcome: 'UNDER_WAY' } });
  if (retry.state === 'PAUSED')
    return underWay > 0 ? { next: 'page', afterMs: waitFor(retry) } : { next: 'wait', afterMs: 0 };
  const leadIds = await nextLeads(prisma, retry, MAX_UNDER_WAY - underWay);
  for (const leadId of leadIds) {
    deps.signal.throwIfAborted();
    await retryLead(prisma, retry, leadId);
  }
  if (leadIds.length > 0) return { next: 'page', afterMs: PAGE_MS };
  const ended = await endIfDone(prisma, retryId);
  return ended ? { next: 'end', afterMs: 0 } : { next: 'page', afterMs: waitFor(retry) };
}

/** The round of a lead's retry has ended, a newer one has begun, or the lead was erased. */
async function settle(pool: Pool, retryId: string): Promise<void> {
  const { rowCount } = await pool.query(
    `UPDATE bulk_retry_lead l
     SET at = clock_timestamp(),
         outcome = CASE WHEN o.round = l.round + 1 THEN o.state ELSE 'SKIPPED' END,
         reason = CASE WHEN o.lead_id IS NULL THEN 'lead-erased' WHEN o.round > l.round + 1 THEN 'retried-again' END
     FROM bulk_retry_lead u LEFT JOIN onboarding o ON o.lead_id = u.lead_id
     WHERE u.retry_id = $1 AND u.outcome = 'UNDER_WAY' AND l.retry_id = u.retry_id AND l.lead_id = u.lead_id
       AND (o.lead_id IS NULL OR o.round <> u.round + 1 OR o.state NOT IN ('PENDING', 'RUNNING'))`,
    [retryId],
  );
  if (rowCount) await pool.query('UPDATE bulk_retry SET updated_at = clock_timestamp() WHERE id = $1', [retryId]);
}

async function nextLeads(db: PrismaClient, retry: BulkRetry, room: number): Promise<string[]> {
  const take = Math.min(retry.perSecond * (PAGE_MS / 1_000), room);
  if (take <= 0) return [];
  const rows = await db.bulkRetryLead.findMany({
    where: { retryId: retry.id, outcome: 'WAITING' },
    orderBy: { leadId: 'asc' },
    take,
    select: { leadId: true },
  });
  return rows.map(({ leadId }) => leadId);
}

/** Retries one lead as its own command would, unless it was retried, or the whole paused, meanwhile. */
function retryLead(db: PrismaClient, retry: BulkRetry, leadId: string): Promise<void> {
  return db.$transaction(async (tx) => {
    const [row] = await tx.$queryRaw<{ round: number }[]>`
      SELECT l.round FROM bulk_retry_lead l JOIN bulk_retry r ON r.id = l.retry_id
      WHERE l.retry_id = ${retry.id}::uuid AND l.lead_id = ${leadId}::uuid AND l.outcome = 'WAITING'
        AND r.state = 'RUNNING' FOR UPDATE OF l`;
    if (!row) return;
    const skipped = await accept(tx, retry, leadId, row.round);
    await tx.$executeRaw`
      UPDATE bulk_retry_lead SET outcome = ${skipped ? 'SKIPPED' : 'UNDER_WAY'}, reason = ${skipped ?? null},
        at = clock_timestamp()
      WHERE retry_id = ${retry.id}::uuid AND lead_id = ${leadId}::uuid`;
  });
}

/** @returns why it was not retried */
async function accept(
  tx: Prisma.TransactionClient,
  { caller, enrichmentDelayMs }: BulkRetry,
  leadId: string,
  failedRound: number,
): Promise<string | undefined> {
  const lead = await lockLead(tx, leadId);
  if (lead && lead.onboardingRound !== failedRound) return 'retried-meanwhile';
  // The organization sees on the lead's timeline which operator it was, not from where.
  const { keyId, userId, requestId } = caller as unknown as Caller;
  const by = { keyId, userId, requestId, ipAddress: null, userAgent: null };
  try {
    await acceptCommand(tx, leadId, 'retry', { caller: by, enrichmentDelayMs, orderDelayMs: 0, inBulk: true });
    return undefined;
  } catch (err) {
    if (err instanceof LeadNotFound) return 'lead-erased';
    if (err instanceof CommandImpossible) return 'not-failed';
    throw err;
  }
}

/** @returns whether every lead has an outcome, so that there is nothing left to do */
function endIfDone(db: PrismaClient, retryId: string): Promise<boolean> {
  return db.$transaction(async (tx) => {
    const retry = await lockBulkRetry(tx, retryId);
    if (retry?.state === 'PAUSED') return false;
    const open = { retryId, outcome: { in: ['WAITING', 'UNDER_WAY'] } };
    if (await tx.bulkRetryLead.findFirst({ where: open, select: { leadId: true } })) return false;
    await tx.$executeRaw`
      UPDATE bulk_retry SET finished_at = clock_timestamp(), updated_at = clock_timestamp(),
        state = CASE WHEN state = 'RUNNING' THEN 'COMPLETED' ELSE state END
      WHERE id = ${retryId}::uuid AND finished_at IS NULL`;
    return true;
  });
}

/** The longer nothing has come of it, the longer it waits. */
function waitFor({ updatedAt }: BulkRetry): number {
  const idleMs = Date.now() - updatedAt.getTime();
  return Math.min(WAIT_MS.atMost, Math.max(WAIT_MS.atFirst, idleMs / 10));
}
