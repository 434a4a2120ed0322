import { setTimeout as sleep } from 'node:timers/promises';
import { openSession, type Session, type SessionOptions } from './session.ts';

const RETRY_MS = 1_000;
/** So many times a server that is just starting may be late without a word of it. */
const PATIENT = 3;

/** Workers that poll for as long as they are wanted. */
export interface Polling {
  /** Undefined while all task queues are polled, Temporal answers and gives our version work; else why not. */
  readonly problem: string | undefined;
  /** Takes no more work; resolves when the work in hand has ended. */
  stop(): Promise<void>;
}

/**
 * Polls task queues as soon as Temporal is there, and whenever it comes back. A session whose connection is dead, or that
 * was refused for a while, is not waited for: its long polls hang for up to 45 s, and their retries back off to 10 s. A
 * new one takes its place, while the old one ends the work that it has in hand.
 */
export function startPolling(options: SessionOptions): Polling {
  const { log } = options;
  const stopping = new AbortController();
  const isStopping = () => stopping.signal.aborted;
  const stopped = new Promise<string>((resolve) => {
    stopping.signal.addEventListener('abort', () => resolve('stopping'));
  });
  const drains = new Set<Promise<void>>();
  let session: Session | undefined;
  let reason = 'connecting to Temporal';
  let hasPolled = false;

  /** One session, from its opening to its loss. @returns why it is over */
  async function poll(): Promise<string> {
    session = await openSession(options);
    hasPolled = true;
    log.info({ taskQueues: [...options.workloads.keys()], namespace: options.namespace }, 'worker polls');
    const lost = await Promise.race([session.lost, stopped]);
    const drain = session.drain().catch((err: unknown) => log.error({ err }, 'session not closed cleanly'));
    session = undefined;
    drains.add(drain);
    void drain.then(() => drains.delete(drain));
    return lost;
  }

  async function loop(): Promise<void> {
    for (let failures = 0; !isStopping(); failures += 1) {
      try {
        reason = await poll();
        failures = 0;
      } catch (err) {
        reason = `no connection to Temporal: ${explain(err)}`;
      }
      if (isStopping()) break;
      if (failures % 10 === (hasPolled ? 0 : PATIENT))
        log.warn({ reason }, 'not polling; connecting to Temporal again');
      await sleep(RETRY_MS, undefined, { signal: stopping.signal }).catch(() => undefined);
    }
    await Promise.all(drains);
  }

  const ended = loop();
  return {
    get problem() {
      return session ? session.problem : reason;
    },
    async stop() {
      stopping.abort();
      await ended;
    },
  };
}

function explain(err: unknown): string {
  if (!(err instanceof Error)) return String(err);
  return 'details' in err && typeof err.details === 'string' && err.details !== '' ? err.details : err.message;
}
