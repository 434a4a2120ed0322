import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '../../telemetry/logger.ts';
import type { Temporal } from '../../temporal/connection.ts';
import { applyRetentionSchedule } from './schedule.ts';

const RETRY_MS = 5_000;
/** Temporal can lose its store, and the schedule with it. */
const REPEAT_MS = 3_600_000;

/** Keeps the schedule in Temporal as the settings want it, until `signal` aborts; Temporal may be away meanwhile. */
export async function keepRetentionSchedule(
  temporal: Pick<Temporal, 'client'>,
  { retentionDays, log, signal }: { retentionDays: number | undefined; log: Logger; signal: AbortSignal },
): Promise<void> {
  while (!signal.aborted) {
    const applied = await applyRetentionSchedule(temporal.client, retentionDays).then(
      () => true,
      (err: unknown) => {
        log.warn({ err }, 'schedule of the retention not set yet');
        return false;
      },
    );
    await sleep(applied ? REPEAT_MS : RETRY_MS, undefined, { signal }).catch(() => undefined);
  }
}
