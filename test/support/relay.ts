import type { Client } from '@temporalio/client';
import { attemptOrder, type AttemptDependencies } from '../../src/outbox/attempt.ts';
import { carryOut } from '../../src/outbox/carry-out/carry-out.ts';
import type { Order } from '../../src/outbox/order.ts';
import { claimOrders } from '../../src/outbox/store.ts';
import { recordLog } from './log.ts';
import { patiently } from './temporal.ts';

/**
 * Hands orders to a Temporal that knows our search attributes, as a relay does: again, where a busy machine took longer
 * to answer than a call may.
 * @param attempts how often at most
 */
export function carrierTo(client: Client, log = recordLog().log, attempts = 5): (order: Order) => Promise<void> {
  const searchAttributes = { known: true, forget: () => undefined };
  return (order) => patiently(() => carryOut({ client, log, searchAttributes }, order), attempts);
}

/** Tries every order that is due, once. What fails is due again at once. */
export async function relayOnce(deps: AttemptDependencies): Promise<void> {
  const rows = await claimOrders(deps.pool, 1_000);
  await Promise.all(rows.map((row) => attemptOrder(deps, row, () => 0)));
}
