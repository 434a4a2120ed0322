import { TEMPORAL_DEADLINE_MS } from '../temporal/connection.ts';
import { attemptOrder, type AttemptDependencies } from './attempt.ts';
import type { Order } from './order.ts';
import { createRelayWaker } from './wake.ts';

/** Milliseconds for which a new order is left to the process that wrote it: the deadline of its call, and some. */
const CLAIM_MS = TEMPORAL_DEADLINE_MS + 1_000;

export interface FastStartDependencies extends AttemptDependencies {
  /** How many orders this process carries out at once; past that they are the relay's. */
  slots: number;
}

/** The right to carry one order out; taken before the order is written. */
export interface Slot {
  /** For how long relays leave the order to this process: write it so. */
  orderDelayMs: number;
  /** Carries the order out in the background. Call it after the commit. Never throws: the relay takes what failed. */
  run(order: Order): void;
  /** Gives the slot back when no order was written. */
  release(): void;
}

/** Carries orders out right after their commit, so that a lead need not wait for the relay's next poll. */
export interface FastStart {
  /** With all slots taken it is one that leaves its order to the relays. */
  takeSlot(): Slot;
  /** Tells the relays that an order was committed that is theirs. */
  leaveToRelays(): void;
  /** Resolves when nothing is under way any more. */
  idle(): Promise<void>;
}

export function createFastStart(deps: FastStartDependencies): FastStart {
  let free = deps.slots;
  const underWay = new Set<Promise<void>>();
  const relays = createRelayWaker(deps.pool);

  async function attempt(order: Order): Promise<void> {
    try {
      const outcome = await attemptOrder(deps, { ...order, attempts: 0, lastError: null }, () => 0);
      if (outcome !== 'done') relays.wake();
    } catch (err) {
      deps.log.warn({ leadId: order.leadId, order: order.id, err }, 'order left to the relays');
    }
  }

  const noSlot: Slot = { orderDelayMs: 0, run: () => relays.wake(), release: () => undefined };

  return {
    takeSlot() {
      if (free === 0) return noSlot;
      free -= 1;
      const release = () => {
        free += 1;
      };
      const run = (order: Order) => {
        const task = attempt(order).finally(() => {
          release();
          underWay.delete(task);
        });
        underWay.add(task);
      };
      return { orderDelayMs: CLAIM_MS, run, release };
    },
    leaveToRelays: () => relays.wake(),
    async idle() {
      await Promise.all(underWay);
      await relays.idle();
    },
  };
}
