import { setTimeout as sleep } from 'node:timers/promises';
import pTimeout from 'p-timeout';

const INTERVAL_MS = 2_000;
const AFTER_MISS_MS = 1_000;
/** An idle Temporal answers within milliseconds. */
export const PULSE_DEADLINE_MS = 2_000;
/** What takes less than the deadline to fail was refused; a deadline itself can be noted a little early. */
const REFUSED_WITHIN_MS = PULSE_DEADLINE_MS - 200;
/** A Temporal that answers a new connection as soon as this is not slow: the old one is dead. */
const QUICK_MS = 500;

export interface PulseOptions {
  /** Asks Temporal something small, over the connection that is watched. */
  ask: () => Promise<unknown>;
  /** The same over a connection of its own, which is opened and closed for it. */
  askAnew: () => Promise<unknown>;
  /** Called whenever another connection is to take the place of this one: it is dead, or Temporal was away. */
  onLost: (reason: string) => void;
}

export interface Pulse {
  /** Whether Temporal is in reach; false before its first answer. */
  readonly beats: boolean;
  stop(): void;
}

/**
 * Asks Temporal something, again and again. This is how a process learns that its connection is dead: gRPC takes up to
 * 45 s for it, and grpc-js waits for ever for a connection that is taken but not answered. A Temporal that is only slow
 * is left in peace: late answers say nothing of the connection unless a new one is answered quickly meanwhile.
 */
export function takePulse({ ask, askAnew, onLost }: PulseOptions): Pulse {
  const stopping = new AbortController();
  const isStopping = () => stopping.signal.aborted;
  let beats = false;

  async function loop(): Promise<void> {
    for (let wasAway = false; !isStopping();) {
      let outcome = await tryOnce(ask);
      // One late answer may be a moment of high load; after two in a row Temporal counts as out of reach.
      const another = outcome === 'late' ? tryOnce(askAnew) : undefined;
      if (outcome === 'late') outcome = await tryOnce(ask);
      if (isStopping()) return;
      const answered = isAnswer(outcome);
      if (!answered && isQuick(await another)) onLost('the connection is dead');
      if (answered && wasAway) onLost('Temporal was away');
      beats = answered;
      wasAway = outcome === 'refused';
      await sleep(answered ? INTERVAL_MS : AFTER_MISS_MS, undefined, { ref: false, signal: stopping.signal }).catch(
        () => undefined,
      );
    }
  }

  void loop();
  return {
    get beats() {
      return beats;
    },
    stop: () => stopping.abort(),
  };
}

/** Milliseconds until the answer, or why there was none. */
type Outcome = number | 'refused' | 'late';

const isAnswer = (outcome: Outcome) => typeof outcome === 'number';
const isQuick = (outcome: Outcome | undefined) => typeof outcome === 'number' && outcome < QUICK_MS;

async function tryOnce(ask: () => Promise<unknown>): Promise<Outcome> {
  const startedAt = performance.now();
  const elapsed = () => performance.now() - startedAt;
  try {
    await pTimeout(ask(), { milliseconds: PULSE_DEADLINE_MS });
    return elapsed();
  } catch {
    return elapsed() < REFUSED_WITHIN_MS ? 'refused' : 'late';
  }
}
