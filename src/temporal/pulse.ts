import { setTimeout as sleep } from 'node:timers/promises';
import pTimeout from 'p-timeout';

const INTERVAL_MS = 2_000;
const AFTER_MISS_MS = 1_000;
/** An idle Temporal answers within milliseconds. */
export const PULSE_DEADLINE_MS = 2_000;
/** One missed answer may be a moment of high load; after two in a row Temporal counts as out of reach. */
const MISSES = 2;

export interface Pulse {
  /** Whether Temporal is in reach; false before its first answer. */
  readonly beats: boolean;
  /** Resolves when Temporal is out of reach for the first time. */
  lost: Promise<void>;
  stop(): void;
}

/**
 * Asks Temporal something small, again and again. This is how a process learns that its connection is dead: gRPC takes
 * up to 45 s for it, and grpc-js waits for ever for a connection that is taken but not answered.
 * @param onMiss called for each answer that is missed
 */
export function takePulse(ask: () => Promise<unknown>, onMiss: () => void = () => undefined): Pulse {
  const stopping = new AbortController();
  const isStopping = () => stopping.signal.aborted;
  let beats = false;
  let lose = () => {};
  const lost = new Promise<void>((resolve) => (lose = resolve));

  async function loop(): Promise<void> {
    for (let misses = 0; !isStopping();) {
      const answered = await pTimeout(ask(), { milliseconds: PULSE_DEADLINE_MS }).then(
        () => true,
        () => false,
      );
      if (isStopping()) return;
      misses = answered ? 0 : misses + 1;
      beats = answered || (beats && misses < MISSES);
      if (!answered) onMiss();
      if (misses >= MISSES) lose();
      const pause = answered ? INTERVAL_MS : AFTER_MISS_MS;
      await sleep(pause, undefined, { ref: false, signal: stopping.signal }).catch(() => undefined);
    }
  }

  void loop();
  return {
    get beats() {
      return beats;
    },
    lost,
    stop: () => stopping.abort(),
  };
}
