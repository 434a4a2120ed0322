import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '../logger.ts';
import { concernsAll, explainFailure } from '../outbox/failure.ts';

export interface Rounds {
  /** Named in the log when a round fails. */
  what: string;
  /** Milliseconds between the end of a round and the next; 0 for no rounds at all. */
  intervalMs: number;
  /** One round; it may end early once the signal says that no more are wanted. */
  round: (signal: AbortSignal) => Promise<unknown>;
  log: Logger;
}

/** Does something again and again; a round that fails is logged. @returns a function that ends it, after its round. */
export function startRounds({ what, intervalMs, round, log }: Rounds): () => Promise<void> {
  const stopping = new AbortController();
  const { signal } = stopping;

  async function loop(): Promise<void> {
    for (;;) {
      await sleep(intervalMs, undefined, { signal }).catch(() => undefined);
      if (signal.aborted) return;
      try {
        await round(signal);
      } catch (err) {
        const { kind, reason } = explainFailure(err);
        if (concernsAll(kind)) log.warn({ what, reason }, 'round given up: Temporal takes no calls');
        else log.error({ what, err }, 'round failed');
      }
    }
  }

  const ended = intervalMs === 0 ? Promise.resolve() : loop();
  return async () => {
    stopping.abort();
    await ended;
  };
}
