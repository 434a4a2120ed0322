import { WorkflowNotFoundError } from '@temporalio/client';
import { onboardingWorkflowId } from '../../workflows/contract.ts';
import { type Temporal, withDeadline } from '../temporal/connection.ts';

/** A reader waits this long for Temporal; what Postgres knows is answered anyway. */
const READ_DEADLINE_MS = 1_000;

/** An activity that Temporal has scheduled and that has not ended. */
export interface PendingActivity {
  activity: string;
  /** 1 while the first attempt waits or runs. */
  attempt: number;
  running: boolean;
  lastError: { type: string; message: string } | null;
}

export type RunView =
  | { temporal: 'reachable'; pending: PendingActivity[] }
  | { temporal: 'no-run'; pending: [] }
  | { temporal: 'unreachable'; pending: [] };

/** What Temporal knows of onboardings, for readers. */
export interface OnboardingRuns {
  describe(leadId: string): Promise<RunView>;
  isReachable(): Promise<boolean>;
  /** The run's page in Temporal Web UI. */
  url(leadId: string): string;
}

const STARTED = 2; // temporal.api.enums.v1.PendingActivityState.PENDING_ACTIVITY_STATE_STARTED

export function createOnboardingRuns(temporal: Pick<Temporal, 'client'>, uiUrl: string): OnboardingRuns {
  const namespace = encodeURIComponent(temporal.client.options.namespace);
  return {
    url: (leadId) => `${uiUrl.replace(/\/$/, '')}/namespaces/${namespace}/workflows/${onboardingWorkflowId(leadId)}`,
    async isReachable() {
      const { client } = temporal;
      const call = () => client.connection.workflowService.getSystemInfo({});
      return withDeadline(client, call, READ_DEADLINE_MS).then(
        () => true,
        () => false,
      );
    },
    async describe(leadId) {
      const { client } = temporal;
      const handle = client.workflow.getHandle(onboardingWorkflowId(leadId));
      try {
        const { raw } = await withDeadline(client, () => handle.describe(), READ_DEADLINE_MS);
        const pending = raw.pendingActivities ?? [];
        return {
          temporal: 'reachable',
          pending: pending.map(({ activityType, attempt, state, lastFailure }) => ({
            activity: activityType?.name ?? '',
            attempt: attempt ?? 1,
            running: (state as number | null | undefined) === STARTED,
            lastError: lastFailure
              ? { type: lastFailure.applicationFailureInfo?.type ?? 'Failure', message: lastFailure.message ?? '' }
              : null,
          })),
        };
      } catch (err) {
        return { temporal: err instanceof WorkflowNotFoundError ? 'no-run' : 'unreachable', pending: [] };
      }
    },
  };
}
