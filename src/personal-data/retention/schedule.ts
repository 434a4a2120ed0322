import {
  type Client,
  ScheduleAlreadyRunning,
  ScheduleNotFoundError,
  type ScheduleOptions,
  type ScheduleOptionsStartWorkflowAction,
} from '@temporalio/client';
import { TASK_QUEUES } from '../../../workflows/contract.ts';
import { RETENTION, RETENTION_SCHEDULE_ID } from '../../../workflows/retention-contract.ts';
import type { retention } from '../../../workflows/index.ts';
import { withDeadline } from '../../temporal/connection.ts';

type RetentionSchedule = ScheduleOptions<ScheduleOptionsStartWorkflowAction<typeof retention>>;

/** Leads erased by one activity: a second or two. */
const PAGE_SIZE = 100;
const PAGES_PER_RUN = 100;

/**
 * Makes Temporal run retention every night, or no longer when there is no period. Safe to repeat; a schedule that an
 * operator has paused stays so.
 * @throws the client's error
 */
export async function applyRetentionSchedule(client: Client, retentionDays: number | undefined): Promise<void> {
  await withDeadline(client, async () => {
    const handle = client.schedule.getHandle(RETENTION_SCHEDULE_ID);
    if (retentionDays === undefined) {
      await handle.delete().catch(ignoring(ScheduleNotFoundError));
      return;
    }
    const schedule = describeSchedule(retentionDays);
    try {
      await client.schedule.create({ scheduleId: RETENTION_SCHEDULE_ID, ...schedule });
    } catch (err) {
      ignoring(ScheduleAlreadyRunning)(err);
      await handle.update(({ state }) => ({ ...schedule, state }));
    }
  });
}

function describeSchedule(retentionDays: number): Omit<RetentionSchedule, 'scheduleId'> {
  return {
    spec: { calendars: [{ hour: 3 }], jitter: '30 minutes' }, // UTC
    policies: { overlap: 'SKIP', catchupWindow: '1 day' },
    action: {
      type: 'startWorkflow',
      workflowType: RETENTION,
      workflowId: RETENTION_SCHEDULE_ID,
      taskQueue: TASK_QUEUES.onboarding,
      args: [{ retentionDays, pageSize: PAGE_SIZE, pagesPerRun: PAGES_PER_RUN }],
      staticSummary: `Erase leads that were untouched for ${retentionDays} days`,
    },
  };
}

/** Handles an error of this kind by doing nothing. */
const ignoring = (kind: new (...args: never[]) => Error) => (err: unknown) => {
  if (!(err instanceof kind)) throw err;
};
