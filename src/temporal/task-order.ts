import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '../telemetry/logger.ts';
import { type Temporal, withDeadline } from './connection.ts';

const RETRY_MS = 5_000;

/** What a server does with the priority and the fairness key of tasks, and what to set for more. */
export interface TaskOrder {
  /** Whether a lead's priority is heeded: `by setting` where it is off by default, and no call tells. */
  priority: 'yes' | 'no' | 'by setting';
  /** Whether organizations take turns. */
  fairness: 'no' | 'by setting';
  advice: string;
}

const FAIRNESS = 'matching.enableFairness (in Temporal Cloud: Fairness of the namespace)';

/** Tells by its version what a server does by default. Which settings it has, it tells nobody. */
export function taskOrderOf(serverVersion: string): TaskOrder {
  const [major = 0, minor = 0] = serverVersion.split('.').map(Number);
  const isFrom = (newer: number) => major > 1 || (major === 1 && minor >= newer);
  if (isFrom(31))
    return {
      priority: 'yes',
      fairness: 'by setting',
      advice: `organizations take turns only with ${FAIRNESS}, which is off by default`,
    };
  if (isFrom(29))
    return {
      priority: 'by setting',
      fairness: 'by setting',
      advice: `priorities count, and organizations take turns, only with matching.useNewMatcher and ${FAIRNESS}, which are off by default`,
    };
  return {
    priority: 'no',
    fairness: 'no',
    advice: 'neither priorities nor organizations count in the order of tasks: Temporal Server 1.29 or newer is needed',
  };
}

/** Says once in the log what the server does, as soon as it answers. */
export async function reportTaskOrder(
  temporal: Pick<Temporal, 'client'>,
  log: Logger,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    const { client } = temporal;
    const info = await withDeadline(client, () => client.workflowService.getSystemInfo({})).catch(() => undefined);
    if (info) {
      const order = taskOrderOf(info.serverVersion);
      log[order.priority === 'no' ? 'warn' : 'info']({ server: info.serverVersion, ...order }, 'order of tasks');
      return;
    }
    await sleep(RETRY_MS, undefined, { signal, ref: false }).catch(() => undefined);
  }
}
