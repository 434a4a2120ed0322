import { setTimeout as sleep } from 'node:timers/promises';
import { attemptOrder, type AttemptDependencies } from './attempt.ts';
import { concernsAll, type OrderFailure } from './failure.ts';
import { type ClaimedRow, claimOrders } from './store.ts';

/** Calls to Temporal under way at once. */
const LANES = 20;
const MAX_DELAY_MS = 60_000;
/** Between two calls while every call fails: soon enough that all is started within seconds of Temporal's return. */
const PAUSES_MS = { unreachable: 2_000, refused: 30_000 };
/** For which copies of newer code wait at most, when an older one has taken what is theirs. */
const NEWER_MS = 10_000;

export interface RelayDependencies extends AttemptDependencies {
  /** Milliseconds between two looks for orders when nobody wakes it. */
  pollMs: number;
}

type Trouble = keyof typeof PAUSES_MS;

export interface Relay {
  /** When it last took orders, or saw that there are none; undefined before the first time. */
  readonly lastPollAt: number | undefined;
  /** Why Temporal took nothing of late; undefined once it takes an order, or none is due. */
  readonly trouble: Trouble | undefined;
  /** Makes it look at once: an order may be waiting. */
  wake(): void;
  /** Takes no more orders, and ends when the calls that are under way have. */
  stop(): Promise<void>;
}

/**
 * Carries out what no API process has: any number of copies may run at once. It takes as many orders as it has free
 * lanes, so that one that is slow holds up no other and none waits in its hands. While Temporal takes nothing, it tries
 * one order at a time.
 */
export function startRelay(deps: RelayDependencies): Relay {
  const stopping = new AbortController();
  const underWay = new Set<Promise<void>>();
  let trouble: Trouble | undefined;
  let lastPollAt: number | undefined;
  let waking = new AbortController();

  const pause = (milliseconds: number, { signal }: AbortController) =>
    sleep(milliseconds, undefined, { signal }).catch(() => undefined);

  function freeLanes(): number {
    if (trouble === undefined) return LANES - underWay.size;
    return underWay.size === 0 ? 1 : 0;
  }

  function begin(row: ClaimedRow): void {
    const lane = attemptOrder(deps, row, (failure) => delayAfter(failure, row.attempts))
      .then((outcome) => {
        trouble = outcome !== 'done' && concernsAll(outcome) ? outcome : undefined;
      })
      .catch((err: unknown) => deps.log.error({ order: row.id, err }, 'order left to its lease'))
      .finally(() => underWay.delete(lane));
    underWay.add(lane);
  }

  /** @returns whether every free lane got an order, so that more may be waiting. */
  async function takeOrders(): Promise<boolean> {
    const free = freeLanes();
    const tries = trouble !== undefined && free > 0;
    const rows = free === 0 ? [] : await claimOrders(deps.pool, free);
    lastPollAt = Date.now();
    if (tries && rows.length === 0) trouble = undefined;
    rows.forEach(begin);
    return rows.length === free;
  }

  async function loop(): Promise<void> {
    while (!stopping.signal.aborted) {
      waking = new AbortController();
      let more = false;
      try {
        more = await takeOrders();
      } catch (err) {
        trouble = undefined; // the trouble is Postgres now
        deps.log.error({ err }, 'relay poll failed');
      }
      if (!more) await pause(deps.pollMs, waking);
      else if (underWay.size > 0) await Promise.race(underWay);
      if (trouble) await pause(PAUSES_MS[trouble], stopping);
    }
    await Promise.all(underWay);
  }

  const ended = loop();
  return {
    get lastPollAt() {
      return lastPollAt;
    },
    get trouble() {
      return trouble;
    },
    wake: () => waking.abort(),
    async stop() {
      stopping.abort();
      waking.abort();
      await ended;
    },
  };
}

function delayAfter({ kind }: OrderFailure, attempts: number): number {
  if (kind === 'newer') return NEWER_MS;
  return concernsAll(kind) ? PAUSES_MS[kind] : backOff(attempts);
}

/** Exponential with full jitter, https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/ */
function backOff(attempts: number): number {
  return Math.round(Math.random() * Math.min(MAX_DELAY_MS, 1_000 * 2 ** attempts));
}
