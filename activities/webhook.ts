import { cancellationSignal, heartbeat } from '@temporalio/activity';
import { type DeliveryDependencies, deliverEvents } from '../src/webhooks/deliver.ts';
import { watchNews } from '../src/webhooks/news.ts';
import type { WebhookActivities } from '../workflows/webhook-contract.ts';

/** For which more is waited for: while events come, the run goes on. */
const LINGER_MS = 20_000;
/** Between two signs of life. */
const HEARTBEAT_MS = 5_000;
/** After this a run leaves the rest to the next. */
const AT_MOST_MS = 15 * 60_000;

export interface WebhookActivityDependencies extends DeliveryDependencies {
  /** Aborts when the process is told to stop: the run that is under way ends soon, and the next one goes on. */
  stopping: AbortSignal;
}

/** The activities of the task queue `webhook`. */
export function createWebhookActivities({ stopping, ...deps }: WebhookActivityDependencies): WebhookActivities {
  const news = watchNews(deps.pool);
  return {
    async deliverEvents({ endpointId }) {
      const signal = AbortSignal.any([cancellationSignal(), stopping]);
      const startedAt = Date.now();
      let quietSince = startedAt;
      let aliveAt = 0;
      await deliverEvents(deps, {
        endpointId,
        async wait() {
          const patienceMs = Math.min(quietSince + LINGER_MS, startedAt + AT_MOST_MS) - Date.now();
          return patienceMs > 0 && within(patienceMs, signal, (ending) => news.of(endpointId, ending));
        },
        isOver: () => Date.now() > startedAt + AT_MOST_MS,
        alive() {
          const now = Date.now();
          if (now - aliveAt < HEARTBEAT_MS) return; // each goes through the native part of the SDK
          aliveAt = now;
          heartbeat();
        },
        delivered: () => (quietSince = Date.now()),
        signal,
      });
    },
  };
}

/** Tells work to end after some time, or when the signal aborts; and says meanwhile that it is alive. */
async function within<T>(ms: number, signal: AbortSignal, work: (ending: AbortSignal) => Promise<T>): Promise<T> {
  const ending = new AbortController();
  const end = () => ending.abort();
  const timer = setTimeout(end, ms);
  const beat = setInterval(heartbeat, HEARTBEAT_MS);
  signal.addEventListener('abort', end);
  try {
    return await work(ending.signal);
  } finally {
    clearTimeout(timer);
    clearInterval(beat);
    signal.removeEventListener('abort', end);
  }
}
