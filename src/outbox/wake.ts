import { setTimeout as sleep } from 'node:timers/promises';
import type { Pool } from 'pg';

export const ORDERS_CHANNEL = 'outbox';

/** Postgres takes one lock for the whole server when a transaction that notifies commits. */
const THROTTLE_MS = 100;

export interface RelayWaker {
  /** Tells the relays that an order waits for them. Call it after the commit. Never throws: relays also poll. */
  wake(): void;
  /** Resolves when the last one has been told. */
  idle(): Promise<void>;
}

/**
 * Wakes relays with NOTIFY, in a transaction of its own and not that of the order, so that intake never waits for the
 * lock that notifying takes; at most once in 100 ms, and once more after the last call.
 */
export function createRelayWaker(pool: Pool): RelayWaker {
  let wanted = false;
  let telling: Promise<void> | undefined;

  async function tell(): Promise<void> {
    while (wanted) {
      wanted = false;
      await pool.query(`NOTIFY ${ORDERS_CHANNEL}`).catch(() => undefined);
      await sleep(THROTTLE_MS);
    }
    telling = undefined;
  }

  return {
    wake() {
      wanted = true;
      telling ??= tell();
    },
    async idle() {
      await telling;
    },
  };
}
