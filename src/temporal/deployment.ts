import { setTimeout as sleep } from 'node:timers/promises';
import type { NativeConnection } from '@temporalio/worker';
import type { Client } from '@temporalio/client';
import { withDeadline } from './connection.ts';

/** The worker deployment that all versions of our workflow code belong to, as Temporal lists it. */
export const DEPLOYMENT_NAME = 'lead-onboarding';

/** What becomes of a version: `draining` still has runs of its own, `drained` has none left. */
export type VersionStatus = 'inactive' | 'current' | 'ramping' | 'draining' | 'drained';

/** temporal.api.enums.v1.WorkerDeploymentVersionStatus, by its numbers; what has no name here gets no runs either. */
const STATUSES: readonly VersionStatus[] = ['inactive', 'inactive', 'current', 'ramping', 'draining', 'drained'];
const statusOf = (status: number | null | undefined): VersionStatus => STATUSES[status ?? 0] ?? 'inactive';

export interface Version {
  buildId: string;
  status: VersionStatus;
  /** Open runs that are with this version now. */
  openRuns: number;
}

export interface Deployment {
  /** Gets the runs that begin; without one the workers without a version do. */
  current: string | undefined;
  /** Gets a share of them, when there is one. */
  ramping: { buildId: string; percentage: number } | undefined;
  /** The newest first. */
  versions: Version[];
}

const NOT_FOUND = 5;
const isNotFound = (err: unknown) => err instanceof Error && 'code' in err && err.code === NOT_FOUND;

/** Milliseconds after which Temporal is asked once more, each time that it says not found. */
const ASK_AGAIN_AFTER_MS = [100, 400];

/**
 * Asks for what Temporal keeps in a workflow of its own. While that workflow continues as new, its last run being over
 * and the next one not begun, Temporal 1.29 says not found of what is there.
 * @returns undefined when it is not found however often it is asked for
 */
async function find<T>(ask: () => Promise<T>): Promise<T | undefined> {
  for (const wait of [...ASK_AGAIN_AFTER_MS, undefined]) {
    try {
      return await ask();
    } catch (err) {
      if (!isNotFound(err)) throw err;
    }
    if (wait !== undefined) await sleep(wait);
  }
  return undefined;
}

/** @returns undefined before a worker with a version has polled for the first time */
export async function readDeployment(client: Client): Promise<Deployment | undefined> {
  const { namespace } = client.options;
  const described = await withDeadline(client, () =>
    find(() => client.workflowService.describeWorkerDeployment({ namespace, deploymentName: DEPLOYMENT_NAME })),
  );
  if (!described?.workerDeploymentInfo) return undefined;
  const { routingConfig, versionSummaries } = described.workerDeploymentInfo;
  const rampingId = routingConfig?.rampingDeploymentVersion?.buildId;
  const versions = (versionSummaries ?? []).map(async ({ deploymentVersion, status }) => {
    const buildId = deploymentVersion?.buildId ?? '';
    const { count } = await withDeadline(client, () => client.workflow.count(openRunsOf(buildId)));
    return { buildId, status: statusOf(status), openRuns: count };
  });
  return {
    current: routingConfig?.currentDeploymentVersion?.buildId ?? undefined,
    ramping: rampingId ? { buildId: rampingId, percentage: routingConfig.rampingVersionPercentage ?? 0 } : undefined,
    versions: await Promise.all(versions),
  };
}

const openRunsOf = (buildId: string) =>
  `TemporalWorkerDeploymentVersion = '${DEPLOYMENT_NAME}:${buildId}' AND ExecutionStatus = 'Running'`;

/**
 * Gives a version all runs that begin from now on. A version that was ramping is current then.
 * @param buildId undefined for the workers without a version
 * @throws what Temporal says, as when no worker of that version polls
 */
export async function setCurrentVersion(client: Client, buildId: string | undefined): Promise<void> {
  const { namespace, identity } = client.options;
  await withDeadline(client, () =>
    client.workflowService.setWorkerDeploymentCurrentVersion({
      namespace,
      identity,
      deploymentName: DEPLOYMENT_NAME,
      buildId: buildId ?? '',
    }),
  );
}

/**
 * Gives a version a share of the runs that begin from now on.
 * @param percentage 0 to 100; 0 ends the ramp
 * @throws what Temporal says, as when no worker of that version polls
 */
export async function rampVersion(client: Client, buildId: string, percentage: number): Promise<void> {
  const { namespace, identity } = client.options;
  await withDeadline(client, () =>
    client.workflowService.setWorkerDeploymentRampingVersion({
      namespace,
      identity,
      deploymentName: DEPLOYMENT_NAME,
      buildId: percentage === 0 ? '' : buildId,
      percentage,
    }),
  );
}

/** Asks for one version, over a worker's own connection. @returns undefined while Temporal does not know it */
export async function readVersionStatus(
  connection: NativeConnection,
  namespace: string,
  buildId: string,
): Promise<VersionStatus | undefined> {
  const deploymentVersion = { deploymentName: DEPLOYMENT_NAME, buildId };
  const answer = await find(() =>
    connection.workflowService.describeWorkerDeploymentVersion({ namespace, deploymentVersion }),
  );
  return answer && statusOf(answer.workerDeploymentVersionInfo?.status);
}
