import type { Pool } from 'pg';
import type { Logger } from '../logger.ts';
import { TEMPORAL_DEADLINE_MS } from '../temporal/connection.ts';
import { explainFailure } from './failure.ts';
import type { Order } from './order.ts';
import { completeOrder, deferOrder } from './store.ts';

/** Milliseconds for which a new order is left to the process that wrote it: the deadline of its call, and some. */
export const CLAIM_MS = TEMPORAL_DEADLINE_MS + 1_000;

export interface FastStartDependencies {
  pool: Pool;
  carryOut: (order: Order) => Promise<void>;
  log: Logger;
  /** How many orders this process carries out at once; past that they are the relay's. */
  slots: number;
}

/** Carries orders out right after their commit, so that a lead need not wait for the relay's next round. */
export interface FastStart {
  /** Takes a slot, or says that there is none. */
  reserve(): boolean;
  /** Gives a reserved slot back unused. */
  release(): void;
  /** Carries the order out in the background, in a reserved slot. Never throws: the relay takes what failed. */
  run(order: Order): void;
  /** Resolves when nothing is under way any more. */
  idle(): Promise<void>;
}

export function createFastStart({ pool, carryOut, log, slots }: FastStartDependencies): FastStart {
  let free = slots;
  const underWay = new Set<Promise<void>>();

  async function attempt(order: Order): Promise<void> {
    try {
      await carryOut(order);
      await completeOrder(pool, order.id);
    } catch (err) {
      const { kind, reason } = explainFailure(err);
      log.warn({ leadId: order.leadId, order: order.id, kind, err }, 'left to the relay');
      await deferOrder(pool, order.id, reason, 0).catch(() => undefined); // its delay ends by itself
    }
  }

  return {
    reserve() {
      if (free === 0) return false;
      free -= 1;
      return true;
    },
    release() {
      free += 1;
    },
    run(order) {
      const task = attempt(order).finally(() => {
        free += 1;
        underWay.delete(task);
      });
      underWay.add(task);
    },
    async idle() {
      await Promise.all(underWay);
    },
  };
}
