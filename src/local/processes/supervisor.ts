import { setTimeout as sleep } from 'node:timers/promises';
import { launch, type Launched } from './launch.ts';
import type { PartEvent } from './part-event.ts';
import type { Part } from './part.ts';
import { waitUntilReady, waitUntilStuck } from './readiness.ts';

/** A part that dies waits `initialMs`, then twice as long each time; having been up for `steadyMs` starts over. */
export interface BackOff {
  initialMs: number;
  maximumMs: number;
  steadyMs: number;
}

export interface SupervisorOptions {
  onEvent: (event: PartEvent) => void;
  onLine: (part: Part, line: string) => void;
  backOff?: BackOff;
}

export interface Supervisor {
  /** Starts parts beside each other and keeps them running; resolves once each was ready, rejects when stopped before. */
  start(parts: Part[]): Promise<void>;
  /** Stops everything, what was started last first. The second call waits for the first. */
  stop(): Promise<void>;
  /** Kills whatever still runs. */
  kill(): void;
}

interface Stage {
  running: Map<Part, Launched>;
  loops: Promise<void>[];
}

const BACK_OFF: BackOff = { initialMs: 500, maximumMs: 30_000, steadyMs: 60_000 };
const WAITING_NOTICE_MS = 10_000;

/** Keeps processes running until it is told to stop. */
export function createSupervisor({ onEvent, onLine, backOff = BACK_OFF }: SupervisorOptions): Supervisor {
  const stopping = new AbortController();
  const isStopping = () => stopping.signal.aborted;
  const stages: Stage[] = [];
  let stopped: Promise<void> | undefined;
  return { start, stop: () => (stopped ??= stopAll()), kill };

  async function start(parts: Part[]): Promise<void> {
    stopping.signal.throwIfAborted();
    const stage: Stage = { running: new Map(), loops: [] };
    stages.push(stage);
    const allReady = parts.map(
      (part) =>
        new Promise<void>((resolve, reject) => {
          const loop = keepRunning(part, stage.running, resolve);
          stage.loops.push(loop);
          void loop.finally(() => reject(new Error(`${part.name} was stopped before it was ready`)));
        }),
    );
    await Promise.all(allReady);
  }

  async function keepRunning(part: Part, running: Stage['running'], onReady: () => void): Promise<void> {
    let failures = 0;
    for (let restarts = 0; !isStopping(); restarts += 1) {
      const startedAt = performance.now();
      const launched = launch(part, (line) => onLine(part, line));
      running.set(part, launched);
      if (launched.pid !== undefined) onEvent({ kind: 'launched', part, pid: launched.pid });
      const alive = new AbortController();
      const ready = announceReady(part, restarts, startedAt, alive.signal);
      void ready.then(onReady, () => undefined);
      const stuck = ready.then(() => killWhenStuck(part, launched, alive.signal)).catch(() => undefined);
      let reason = await launched.exited;
      alive.abort();
      reason = (await stuck) ?? reason;
      running.delete(part);
      if (isStopping()) return;
      failures = performance.now() - startedAt > backOff.steadyMs ? 1 : failures + 1;
      const retryInMs = Math.min(backOff.initialMs * 2 ** (failures - 1), backOff.maximumMs);
      onEvent({ kind: 'died', part, reason, lastLines: launched.lastLines, restarts, retryInMs });
      await sleep(retryInMs, undefined, { signal: stopping.signal }).catch(() => undefined);
    }
  }

  /** @returns why it was killed */
  async function killWhenStuck(part: Part, launched: Launched, alive: AbortSignal): Promise<string | undefined> {
    if (part.stuckAfterMs === undefined) return undefined;
    await waitUntilStuck(part.ready, part.stuckAfterMs, AbortSignal.any([alive, stopping.signal]));
    launched.kill();
    return `killed: it answered with nothing but errors for ${Math.round(part.stuckAfterMs / 1_000)} s`;
  }

  async function announceReady(part: Part, restarts: number, startedAt: number, alive: AbortSignal): Promise<void> {
    const elapsed = () => performance.now() - startedAt;
    const notice = setInterval(() => onEvent({ kind: 'waiting', part, afterMs: elapsed() }), WAITING_NOTICE_MS);
    try {
      await waitUntilReady(part.ready, AbortSignal.any([alive, stopping.signal]));
      onEvent({ kind: 'ready', part, afterMs: elapsed(), restarts });
    } finally {
      clearInterval(notice);
    }
  }

  async function stopAll(): Promise<void> {
    stopping.abort();
    for (const { running, loops } of stages.toReversed()) {
      await Promise.all(Array.from(running, ([part, launched]) => stopOne(part, launched)));
      await Promise.all(loops);
    }
  }

  async function stopOne(part: Part, launched: Launched): Promise<void> {
    const startedAt = performance.now();
    const killed = await launched.stop();
    onEvent({ kind: 'stopped', part, afterMs: performance.now() - startedAt, killed });
  }

  function kill(): void {
    for (const { running } of stages) for (const launched of running.values()) launched.kill();
  }
}
