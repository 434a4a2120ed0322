import { uuidv7 } from 'uuidv7';
import { rescoreWorkflowId } from '../../workflows/rescore-contract.ts';
import type { Prisma, ScoreRescore } from '../db/generated/client.ts';
import type { Caller } from '../audit/caller.ts';
import { recordAudit } from '../audit/record.ts';
import type { RescoreOrder } from '../outbox/order.ts';
import { placeOrder } from '../outbox/place-order.ts';
import { RescoreNotFound, RescoreOver } from './errors.ts';

export const RESCORE_COMMANDS = ['pause', 'resume', 'cancel'] as const;
export type RescoreCommand = (typeof RESCORE_COMMANDS)[number];

const DONE = { pause: 'rescore.paused', resume: 'rescore.resumed', cancel: 'rescore.canceled' } as const;
const STATES = { pause: 'PAUSED', resume: 'RUNNING', cancel: 'CANCELED' } as const;

/** Locks the row of a rescore: its pages and the commands to it come one after the other. */
export async function lockRescore(tx: Prisma.TransactionClient, id: string): Promise<ScoreRescore | null> {
  await tx.$queryRaw`SELECT 1 FROM score_rescore WHERE id = ${id}::uuid FOR UPDATE`;
  return tx.scoreRescore.findUnique({ where: { id } });
}

/** How far a rescore has come, as the API answers it. */
export const toProgress = (rescore: ScoreRescore) => ({
  id: rescore.id,
  organizationId: rescore.organizationId,
  version: rescore.version,
  state: rescore.state,
  done: rescore.done,
  total: rescore.total,
  changed: rescore.changed,
  requestedBy: rescore.requestedBy,
  startedAt: rescore.createdAt.toISOString(),
  updatedAt: rescore.updatedAt.toISOString(),
  finishedAt: rescore.finishedAt?.toISOString() ?? null,
  workflowId: rescoreWorkflowId(rescore.id),
});

/** @throws RescoreNotFound */
export async function readRescore(db: Prisma.TransactionClient, id: string) {
  const rescore = await db.scoreRescore.findUnique({ where: { id } });
  if (!rescore) throw new RescoreNotFound(id);
  return toProgress(rescore);
}

/**
 * Pauses, resumes or ends a rescore. What it is to do stands in its row, which each page looks at first; the order only
 * wakes a run that waits, or starts one that was lost.
 * @throws RescoreNotFound, RescoreOver
 */
export async function commandRescore(
  tx: Prisma.TransactionClient,
  id: string,
  command: RescoreCommand,
  { caller, orderDelayMs }: { caller: Caller; orderDelayMs: number },
) {
  const rescore = await lockRescore(tx, id);
  if (!rescore) throw new RescoreNotFound(id);
  if (rescore.state !== 'RUNNING' && rescore.state !== 'PAUSED') throw new RescoreOver(rescore.state);
  await tx.$executeRaw`
    UPDATE score_rescore SET state = ${STATES[command]}::rescore_state, updated_at = clock_timestamp(),
      finished_at = CASE WHEN ${command === 'cancel'} THEN clock_timestamp() END
    WHERE id = ${id}::uuid`;
  const { organizationId } = rescore;
  await recordAudit(tx, { organizationId, action: DONE[command], subject: id }, caller);
  const order = orderFor(rescore, caller.requestId);
  await placeOrder(tx, order, orderDelayMs);
  return { order, progress: await readRescore(tx, id) };
}

/** The order that starts or wakes the run of a rescore. */
export const orderFor = (
  { id: rescoreId, organizationId }: Pick<ScoreRescore, 'id' | 'organizationId'>,
  requestId: string,
): RescoreOrder => ({
  id: uuidv7(),
  kind: 'RESCORE_LEADS',
  leadId: null,
  organizationId,
  payload: { rescoreId, requestId },
});
