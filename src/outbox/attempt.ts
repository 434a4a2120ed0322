import type { Pool } from 'pg';
import type { Logger } from '../telemetry/logger.ts';
import { SpanKind, withSpan } from '../telemetry/tracing.ts';
import { explainFailure, type FailureKind, type OrderFailure, RoundNotRunning } from './failure.ts';
import { type Order, readOrder } from './order.ts';
import { buryOrder, type ClaimedRow, completeOrder, deferOrder, isUnderWay } from './store.ts';

export interface AttemptDependencies {
  pool: Pool;
  carryOut: (order: Order) => Promise<void>;
  log: Logger;
}

/**
 * Carries one claimed order out and writes down what came of it. What is impossible is put aside after this one try,
 * so that it holds nothing up.
 * @param delayAfter milliseconds until an order that failed may be taken again
 * @returns what became of the order
 * @throws the database's error: the order comes back when the claim on it has run out
 */
export async function attemptOrder(
  deps: AttemptDependencies,
  row: ClaimedRow,
  delayAfter: (failure: OrderFailure) => number,
): Promise<'done' | FailureKind> {
  const { pool, log } = deps;
  const failure = await tryOrder(deps, row);
  if (!failure) {
    await completeOrder(pool, row);
    return 'done';
  }
  const { kind, reason } = failure;
  const line = { leadId: row.leadId, order: row.id, kind: row.kind, attempt: row.attempts, reason };
  if (kind === 'impossible') {
    await buryOrder(pool, row, reason);
    log.error(line, 'order put aside: it cannot be carried out');
  } else {
    const delayMs = delayAfter(failure);
    await deferOrder(pool, row, reason, delayMs);
    if (kind !== 'newer') log.warn({ ...line, delayMs }, 'order deferred');
    else if (row.lastError !== reason) log.warn({ ...line, delayMs }, 'order left to a newer release'); // once for each
  }
  return kind;
}

const describe = ({ id, leadId, payload }: Order, { attempts }: ClaimedRow) => ({
  requestId: payload.requestId,
  attributes: { 'order.id': id, 'order.attempt': attempts, ...(leadId !== null && { 'lead.id': leadId }) },
});

async function tryOrder(deps: AttemptDependencies, row: ClaimedRow): Promise<OrderFailure | undefined> {
  const { pool, carryOut, log } = deps;
  try {
    const order = readOrder(row);
    await withSpan(`carry out ${order.kind}`, { kind: SpanKind.PRODUCER, ...describe(order, row) }, () =>
      carryOut(order),
    );
    return undefined;
  } catch (err) {
    if (err instanceof RoundNotRunning && !(await isUnderWay(pool, err.leadId, err.round))) {
      log.info({ leadId: err.leadId, round: err.round, order: row.id }, 'command came too late');
      return undefined;
    }
    return explainFailure(err);
  }
}
