import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '../telemetry/logger.ts';
import type { Temporal } from './connection.ts';
import { registerSearchAttributes } from './search-attributes.ts';

const RETRY_MS = 5_000;

/** Whether the cluster knows our search attributes; it is told of them in the background until it does. */
export interface SearchAttributeRegistry {
  readonly known: boolean;
  /** Call when a start was refused because of them: they are registered again. */
  forget(): void;
}

/** Starts registering, and goes on until it went well or `signal` aborts. */
export function openSearchAttributeRegistry(
  temporal: Pick<Temporal, 'client'>,
  log: Logger,
  signal: AbortSignal,
): SearchAttributeRegistry {
  let known = false;
  let running = false;

  async function register(): Promise<void> {
    if (running) return;
    running = true;
    while (!known && !signal.aborted) {
      try {
        await registerSearchAttributes(temporal.client);
        known = true;
      } catch (err) {
        log.warn({ err }, 'search attributes not registered yet; runs start without them');
        await sleep(RETRY_MS, undefined, { signal, ref: false }).catch(() => undefined);
      }
    }
    running = false;
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
