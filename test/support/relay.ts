import type { Client } from '@temporalio/client';
import { attemptOrder, type AttemptDependencies } from '../../src/outbox/attempt.ts';
import { carryOut } from '../../src/outbox/carry-out.ts';
import type { Order } from '../../src/outbox/order.ts';
import { claimOrders } from '../../src/outbox/store.ts';
import { recordLog } from './log.ts';

/** Hands orders to a Temporal that knows our search attributes. */
export const carrierTo =
  (client: Client, log = recordLog().log) =>
  (order: Order) =>
    carryOut({ client, log, searchAttributes: { known: true, forget: () => undefined } }, order);

/** Tries every order that is due, once. What fails is due again at once. */
export async function relayOnce(deps: AttemptDependencies): Promise<void> {
  const rows = await claimOrders(deps.pool, 1_000);
  await Promise.all(rows.map((row) => attemptOrder(deps, row, () => 0)));
}
