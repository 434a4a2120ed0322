import { setTimeout as sleep } from 'node:timers/promises';
import type { Pool } from 'pg';
import { Counter } from 'prom-client';
import { databaseFault } from '../../db/faults.ts';
import type { Logger } from '../../telemetry/logger.ts';
import type { Metrics } from '../../telemetry/metrics.ts';
import type { StepEnd } from '../../temporal/step-metrics.ts';
import { type AttemptRow, toAttemptRow } from './row.ts';

/** Attempts that wait for Postgres, some minutes of a busy worker; beyond it the oldest are dropped. */
const MAX_WAITING = 10_000;
const FLUSH_MS = 1_000;
/** Attempts stored by one statement. */
const BATCH = 500;

/** Why an attempt is not in the ledger: too many waited, Postgres refused it, or the process ended before. */
type Drop = 'full' | 'refused' | 'stopped';

export interface AttemptLedger {
  /** Takes an attempt that is over; it is stored within a second. Never waits, never throws. */
  note(end: StepEnd): void;
  /** Stores what waits. What Postgres does not take at once is dropped. */
  close(): Promise<void>;
}

export interface LedgerDependencies {
  /** A pool of its own: activities never wait for a connection of it. */
  pool: Pool;
  log: Logger;
  metrics?: Metrics | undefined;
}

/** Keeps the attempts of steps in Postgres, in batches, behind the back of the activities. */
export function openAttemptLedger({ pool, log, metrics }: LedgerDependencies): AttemptLedger {
  const dropped = metrics && countDrops(metrics);
  const closing = new AbortController();
  const waiting: AttemptRow[] = [];
  let writing: Promise<void> | undefined;
  let isAway = false;

  /** Takes the oldest out. */
  function drop(count: number, reason: Drop): void {
    waiting.splice(0, count);
    dropped?.inc({ reason }, count);
  }

  function dropSurplus(): void {
    const surplus = waiting.length - MAX_WAITING;
    if (surplus > 0) drop(surplus, 'full');
  }

  async function write(): Promise<void> {
    do {
      await sleep(FLUSH_MS, undefined, { signal: closing.signal }).catch(() => undefined);
      await flush();
    } while (waiting.length > 0 && !closing.signal.aborted);
    writing = undefined;
  }

  /** Stores what waits, until Postgres fails. */
  async function flush(): Promise<void> {
    while (waiting.length > 0) {
      const batch = waiting.splice(0, BATCH);
      try {
        await pool.query({ name: 'note_attempts', text: 'SELECT note_attempts($1)', values: [JSON.stringify(batch)] });
        isAway = false;
      } catch (err) {
        waiting.unshift(...batch);
        if (!databaseFault(err)) {
          log.error({ err, attempts: batch.length }, 'attempts refused by Postgres');
          drop(batch.length, 'refused');
          continue;
        }
        dropSurplus();
        if (!isAway) log.warn({ err }, 'attempts not stored yet: Postgres does not take them');
        isAway = true;
        return;
      }
    }
  }

  return {
    note(end) {
      const row = toAttemptRow(end);
      if (!row) return;
      waiting.push(row);
      dropSurplus();
      writing ??= write();
    },
    async close() {
      closing.abort();
      await writing;
      if (waiting.length > 0) log.warn({ attempts: waiting.length }, 'attempts dropped: Postgres did not take them');
      drop(waiting.length, 'stopped');
    },
  };
}

function countDrops(metrics: Metrics) {
  const dropped = new Counter({
    name: 'lead_attempts_dropped_total',
    help: 'Attempts of steps that are not in the ledger, by the reason',
    labelNames: ['reason'],
    registers: [metrics],
  });
  for (const reason of ['full', 'refused', 'stopped'] satisfies Drop[]) dropped.inc({ reason }, 0);
  return dropped;
}
