import type { Client } from '@temporalio/client';
import { attemptOrder, type AttemptDependencies } from '../../src/outbox/attempt.ts';
import { carryOut } from '../../src/outbox/carry-out/carry-out.ts';
import type { Order } from '../../src/outbox/order.ts';
import { claimOrders } from '../../src/outbox/store.ts';
import { recordLog } from './log.ts';
import { patiently } from './temporal.ts';

/** Hands orders to a Temporal that knows our search attributes, once, as a relay does. */
export function impatientCarrierTo(client: Client, log = recordLog().log): (order: Order) => Promise<void> {
  const searchAttributes = { known: true, forget: () => undefined };
  return (order) => carryOut({ client, log, searchAttributes }, order);
}

/** The same; again, where a busy machine took longer to answer than a call may. */
export function carrierTo(client: Client, log = recordLog().log): (order: Order) => Promise<void> {
  const carry = impatientCarrierTo(client, log);
  return (order) => patiently(() => carry(order));
}

/** Tries every order that is due, once. What fails is due again at once. */
export async function relayOnce(deps: AttemptDependencies): Promise<void> {
  const rows = await claimOrders(deps.pool, 1_000);
  await Promise.all(rows.map((row) => attemptOrder(deps, row, () => 0)));
}
