import { uuidv7 } from 'uuidv7';
import type { Pool } from 'pg';
import { bulkRetryWorkflowId } from '../../workflows/retry-contract.ts';
import type { Caller } from '../audit/caller.ts';
import { recordOperatorAction } from '../audit/operator-action.ts';
import type { BulkRetry, BulkRetryState, Prisma } from '../db/generated/client.ts';
import type { RetryOrder } from '../outbox/order.ts';
import { placeOrder } from '../outbox/place-order.ts';
import { BulkRetryNotFound, BulkRetryOver, BulkRetryUnderWay, TooManyFailures } from './errors.ts';
import { type FailureFilter, toCondition } from './filter.ts';

/** Leads of one retry: their rows are written in one statement. */
const MAX_LEADS = 20_000;
/** Ids that a dry run shows. */
const SAMPLE = 10;

export const BULK_RETRY_OUTCOMES = [
  'WAITING',
  'UNDER_WAY',
  'COMPLETED',
  'PARTIAL',
  'FAILED',
  'CANCELED',
  'SKIPPED',
] as const;
export type BulkRetryOutcome = (typeof BULK_RETRY_OUTCOMES)[number];

export const BULK_RETRY_COMMANDS = ['pause', 'resume', 'cancel'] as const;
export type BulkRetryCommand = (typeof BULK_RETRY_COMMANDS)[number];

const DONE = { pause: 'retry.paused', resume: 'retry.resumed', cancel: 'retry.canceled' } as const;
const STATES = { pause: 'PAUSED', resume: 'RUNNING' } as const;

/** How many leads a retry by this filter would have, and the ids of some. Changes nothing. */
export async function dryRunRetry(pool: Pool, filter: FailureFilter): Promise<{ leads: number; sample: string[] }> {
  const { text, values } = toCondition(filter);
  const { rows } = await pool.query<{ leads: number; sample: string[] | null }>(
    `WITH found AS (SELECT DISTINCT lead_id FROM onboarding_failure WHERE ${text})
     SELECT (SELECT count(*)::int FROM found) AS leads,
            ARRAY(SELECT lead_id FROM found ORDER BY lead_id LIMIT ${SAMPLE}) AS sample`,
    values,
  );
  return { leads: rows[0]?.leads ?? 0, sample: rows[0]?.sample ?? [] };
}

export interface NewBulkRetry {
  filter: FailureFilter;
  reason: string;
  /** Leads a second, at most. */
  perSecond: number;
  enrichmentDelayMs: number;
  caller: Caller;
  /** Milliseconds for which relays leave the order to this process. */
  orderDelayMs: number;
}

/**
 * Writes down which leads are to be retried, and orders it. They are those that have failed by now: one that fails again
 * is not retried again. One retry is under way at a time, so that its rate is that of all.
 * @throws BulkRetryUnderWay, TooManyFailures
 */
export async function startBulkRetry(tx: Prisma.TransactionClient, retry: NewBulkRetry) {
  const { filter, reason, perSecond, enrichmentDelayMs, caller, orderDelayMs } = retry;
  await tx.$executeRaw`SELECT pg_advisory_xact_lock(hashtextextended('bulk retry', 0))`;
  const [underWay] = await tx.$queryRaw<{ id: string }[]>`SELECT id FROM bulk_retry WHERE finished_at IS NULL LIMIT 1`;
  if (underWay) throw new BulkRetryUnderWay(underWay.id);
  const id = uuidv7();
  await tx.$executeRaw`
    INSERT INTO bulk_retry (id, filter, reason, caller, total, per_second, enrichment_delay_ms)
    VALUES (${id}::uuid, ${JSON.stringify(filter)}::jsonb, ${reason}, ${JSON.stringify(caller)}::jsonb, 0, ${perSecond},
            ${enrichmentDelayMs})`;
  const { text, values } = toCondition(filter, 1);
  const total = await tx.$executeRawUnsafe(
    `INSERT INTO bulk_retry_lead (retry_id, lead_id, organization_id, round)
     SELECT DISTINCT $1::uuid, lead_id, organization_id, round FROM onboarding_failure WHERE ${text}
     LIMIT ${MAX_LEADS + 1}`,
    id,
    ...values,
  );
  if (total > MAX_LEADS) throw new TooManyFailures(MAX_LEADS);
  await tx.$executeRaw`UPDATE bulk_retry SET total = ${total} WHERE id = ${id}::uuid`;
  const data = { filter, leads: total, perSecond };
  await recordOperatorAction(tx, { action: 'retry.started', subject: id, reason, data }, caller);
  const order = orderFor({ id }, caller.requestId);
  await placeOrder(tx, order, orderDelayMs);
  return { order, answer: await readBulkRetry(tx, id) };
}

/** @throws BulkRetryNotFound */
export async function readBulkRetry(db: Prisma.TransactionClient, id: string) {
  const retry = await db.bulkRetry.findUnique({ where: { id } });
  if (!retry) throw new BulkRetryNotFound(id);
  return toProgress(db, retry);
}

/**
 * Pauses, resumes or ends a retry. What it is to do stands in its row, which each lead's retry looks at first; the order
 * only wakes a run that waits, or starts one that was lost. Leads that are under way when it is canceled go on.
 * @throws BulkRetryNotFound, BulkRetryOver
 */
export async function commandBulkRetry(
  tx: Prisma.TransactionClient,
  id: string,
  command: BulkRetryCommand,
  { reason, caller, orderDelayMs }: Pick<NewBulkRetry, 'reason' | 'caller' | 'orderDelayMs'>,
) {
  const retry = await lockBulkRetry(tx, id);
  if (!retry) throw new BulkRetryNotFound(id);
  if (retry.state !== 'RUNNING' && retry.state !== 'PAUSED') throw new BulkRetryOver(retry.state);
  if (command === 'cancel') await cancelBulkRetry(tx, id);
  else await setState(tx, id, STATES[command]);
  await recordOperatorAction(tx, { action: DONE[command], subject: id, reason }, caller);
  const order = orderFor(retry, caller.requestId);
  await placeOrder(tx, order, orderDelayMs);
  return { order, answer: await readBulkRetry(tx, id) };
}

/** Ends a retry, whose row is locked: leads that wait are not retried any more. */
export async function cancelBulkRetry(tx: Prisma.TransactionClient, id: string): Promise<void> {
  await setState(tx, id, 'CANCELED');
  await tx.$executeRaw`
    UPDATE bulk_retry_lead SET outcome = 'SKIPPED', reason = 'retry-canceled', at = clock_timestamp()
    WHERE retry_id = ${id}::uuid AND outcome = 'WAITING'`;
}

const setState = (tx: Prisma.TransactionClient, id: string, state: BulkRetryState) =>
  tx.$executeRaw`
    UPDATE bulk_retry SET state = ${state}::bulk_retry_state, updated_at = clock_timestamp() WHERE id = ${id}::uuid`;

/** Locks the row of a retry: the commands to it and its end come one after the other. */
export async function lockBulkRetry(tx: Prisma.TransactionClient, id: string): Promise<BulkRetry | null> {
  await tx.$queryRaw`SELECT 1 FROM bulk_retry WHERE id = ${id}::uuid FOR UPDATE`;
  return tx.bulkRetry.findUnique({ where: { id } });
}

/** The order that starts or wakes the run of a retry. */
export const orderFor = ({ id: retryId }: Pick<BulkRetry, 'id'>, requestId: string): RetryOrder => ({
  id: uuidv7(),
  kind: 'RETRY_LEADS',
  leadId: null,
  organizationId: null,
  payload: { retryId, requestId },
});

async function toProgress(db: Prisma.TransactionClient, retry: BulkRetry) {
  const counts = await db.$queryRaw<{ outcome: string; leads: number }[]>`
    SELECT outcome, count(*)::int AS leads FROM bulk_retry_lead WHERE retry_id = ${retry.id}::uuid GROUP BY outcome`;
  const count = (outcome: BulkRetryOutcome) => counts.find((group) => group.outcome === outcome)?.leads ?? 0;
  const outcomes = Object.fromEntries(BULK_RETRY_OUTCOMES.map((outcome) => [outcome, count(outcome)]));
  return {
    id: retry.id,
    filter: retry.filter as FailureFilter,
    state: retry.state,
    reason: retry.reason,
    total: retry.total,
    perSecond: retry.perSecond,
    outcomes: outcomes as Record<BulkRetryOutcome, number>,
    startedAt: retry.createdAt.toISOString(),
    updatedAt: retry.updatedAt.toISOString(),
    finishedAt: retry.finishedAt?.toISOString() ?? null,
    workflowId: bulkRetryWorkflowId(retry.id),
  };
}
