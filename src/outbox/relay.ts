import { setTimeout as sleep } from 'node:timers/promises';
import type { Pool } from 'pg';
import type { Logger } from '../logger.ts';
import { explainFailure } from './failure.ts';
import { type Order, orderSchema } from './order.ts';
import { buryOrder, type ClaimedRow, claimOrders, completeOrder, deferOrder } from './store.ts';

/** Rows taken, and calls to Temporal under way, at once. */
const BATCH = 20;
/** While Temporal is down: soon enough that all is started within seconds of its return. */
const UNREACHABLE_DELAY_MS = 2_000;
const MAX_DELAY_MS = 60_000;

export interface RelayDependencies {
  pool: Pool;
  carryOut: (order: Order) => Promise<void>;
  log: Logger;
  pollMs: number;
}

export interface Relay {
  /** When the last round ended without an error of the database; undefined before the first. */
  readonly lastRoundAt: number | undefined;
  /** Ends after the round that is under way. */
  stop(): Promise<void>;
}

/** Carries out what no API process has: any number of copies may run at once. */
export function startRelay(deps: RelayDependencies): Relay {
  const stopping = new AbortController();
  let lastRoundAt: number | undefined;

  async function loop(): Promise<void> {
    while (!stopping.signal.aborted) {
      let more = false;
      try {
        more = await relayOnce(deps);
        lastRoundAt = Date.now();
      } catch (err) {
        deps.log.error({ err }, 'relay round failed');
      }
      if (!more) await sleep(deps.pollMs, undefined, { signal: stopping.signal }).catch(() => undefined);
    }
  }

  const ended = loop();
  return {
    get lastRoundAt() {
      return lastRoundAt;
    },
    async stop() {
      stopping.abort();
      await ended;
    },
  };
}

/**
 * One round: claims a batch and carries it out.
 * @returns whether another round should follow at once, because the batch was full and Temporal took it.
 */
export async function relayOnce(deps: Omit<RelayDependencies, 'pollMs'>): Promise<boolean> {
  const rows = await claimOrders(deps.pool, BATCH);
  const reachable = await Promise.all(rows.map((row) => relayOrder(deps, row)));
  return rows.length === BATCH && reachable.every(Boolean);
}

async function relayOrder(deps: Omit<RelayDependencies, 'pollMs'>, row: ClaimedRow): Promise<boolean> {
  const { pool, log } = deps;
  const ids = { leadId: row.leadId, order: row.id, kind: row.kind, attempt: row.attempts };
  try {
    await deps.carryOut(orderSchema.parse(row));
    await completeOrder(pool, row.id);
    return true;
  } catch (err) {
    const failure = explainFailure(err);
    if (failure.kind === 'impossible') {
      await buryOrder(pool, row.id, failure.reason);
      log.error({ ...ids, reason: failure.reason }, 'order put aside: it cannot be carried out');
      return true;
    }
    const delayMs = failure.kind === 'unreachable' ? UNREACHABLE_DELAY_MS : backOff(row.attempts);
    await deferOrder(pool, row.id, failure.reason, delayMs);
    log.warn({ ...ids, reason: failure.reason, delayMs }, 'order deferred');
    return failure.kind !== 'unreachable';
  }
}

/** Exponential with full jitter, https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/ */
function backOff(attempts: number): number {
  return Math.round(Math.random() * Math.min(MAX_DELAY_MS, 1_000 * 2 ** attempts));
}
