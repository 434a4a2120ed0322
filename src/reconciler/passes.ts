import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '../telemetry/logger.ts';
import { concernsAll, explainFailure } from '../outbox/failure.ts';

export interface Passes {
  /** Named in the log when a pass fails. */
  what: string;
  /** Milliseconds between the end of a pass and the next; 0 for no passes at all. */
  intervalMs: number;
  /** One pass; it may end early once the signal says that no more are wanted. */
  pass: (signal: AbortSignal) => Promise<unknown>;
  log: Logger;
}

/** Does something again and again; a pass that fails is logged. @returns a function that ends it, after its pass. */
export function startPasses({ what, intervalMs, pass, log }: Passes): () => Promise<void> {
  const stopping = new AbortController();
  const { signal } = stopping;

  async function loop(): Promise<void> {
    for (;;) {
      await sleep(intervalMs, undefined, { signal }).catch(() => undefined);
      if (signal.aborted) return;
      try {
        await pass(signal);
      } catch (err) {
        const { kind, reason } = explainFailure(err);
        if (concernsAll(kind)) log.warn({ what, reason }, 'pass given up: Temporal takes no calls');
        else log.error({ what, err }, 'pass failed');
      }
    }
  }

  const ended = intervalMs === 0 ? Promise.resolve() : loop();
  return async () => {
    stopping.abort();
    await ended;
  };
}
