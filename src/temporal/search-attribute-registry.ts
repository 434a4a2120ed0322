import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '../telemetry/logger.ts';
import type { Temporal } from './connection.ts';
import { registerSearchAttributes } from './search-attributes.ts';

/** Between two looks: while Temporal is out of reach, and while somebody must mend something. */
const RETRY_MS = { 'out of reach': 5_000, 'to be mended': 30_000 };

/** Whether runs can have our search attributes; the cluster is told of them in the background until they can. */
export interface SearchAttributeRegistry {
  readonly known: boolean;
  /** Call when a start was refused because of them: they are registered again. */
  forget(): void;
}

/**
 * Starts registering, and goes on until it went well or `signal` aborts. A reason why it did not is logged once, for as
 * long as it lasts.
 */
export function openSearchAttributeRegistry(
  temporal: Pick<Temporal, 'client'>,
  log: Logger,
  signal: AbortSignal,
  retryMs = RETRY_MS,
): SearchAttributeRegistry {
  let known = false;
  let running = false;
  let told: string | undefined;

  function tell(reason: string, line: object): void {
    if (reason !== told) log.warn(line, 'search attributes not registered yet; runs start without them');
    told = reason;
  }

  async function register(): Promise<void> {
    if (running) return;
    running = true;
    while (!known && !signal.aborted) {
      const pause = await tryOnce();
      if (pause !== undefined) await sleep(retryMs[pause], undefined, { signal, ref: false }).catch(() => undefined);
    }
    running = false;
  }

  async function tryOnce(): Promise<keyof typeof RETRY_MS | undefined> {
    try {
      const problem = await registerSearchAttributes(temporal.client);
      known = problem === undefined;
      if (problem === undefined) return (told = undefined);
      tell(problem, { problem });
      return 'to be mended';
    } catch (err) {
      tell(err instanceof Error ? err.message : '', { err });
      return 'out of reach';
    }
  }

  void register();
  return {
    get known() {
      return known;
    },
    forget() {
      known = false;
      void register();
    },
  };
}
