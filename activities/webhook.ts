import { setTimeout as sleep } from 'node:timers/promises';
import { cancellationSignal, heartbeat } from '@temporalio/activity';
import { type DeliveryDependencies, deliverEvents } from '../src/webhooks/deliver.ts';
import type { WebhookActivities } from '../workflows/webhook-contract.ts';

/** Between two looks for more. */
const LOOK_MS = 400;
/** For which more is waited for: while events come, the run goes on. */
const LINGER_MS = 20_000;
/** After this a run leaves the rest to the next. */
const AT_MOST_MS = 15 * 60_000;

export interface WebhookActivityDependencies extends DeliveryDependencies {
  /** Aborts when the process is told to stop: the run that is under way ends soon, and the next one goes on. */
  stopping: AbortSignal;
}

/** The activities of the task queue `webhook`. */
export function createWebhookActivities({ stopping, ...deps }: WebhookActivityDependencies): WebhookActivities {
  return {
    async deliverEvents({ endpointId }) {
      const signal = AbortSignal.any([cancellationSignal(), stopping]);
      const startedAt = Date.now();
      let quietSince = startedAt;
      const wait = async (isNews: () => Promise<boolean>) => {
        for (;;) {
          await sleep(LOOK_MS, undefined, { signal }).catch(() => undefined);
          const now = Date.now();
          if (signal.aborted || now - quietSince > LINGER_MS || now - startedAt > AT_MOST_MS) return false;
          heartbeat();
          if (await isNews()) return true;
        }
      };
      await deliverEvents(deps, {
        endpointId,
        wait,
        alive: heartbeat,
        delivered: () => (quietSince = Date.now()),
        signal,
      });
    },
  };
}
