import type { NativeConnection } from '@temporalio/worker';
import { DEPLOYMENT_NAME, readVersionStatus, type VersionStatus } from './deployment.ts';
import { PULSE_DEADLINE_MS } from './pulse.ts';

type Described = Awaited<ReturnType<NativeConnection['workflowService']['describeTaskQueue']>>;

/** Knows whether Temporal gives a version any work: a worker that gets none polls all the same, and looks healthy. */
export interface VersionWatch {
  /** Undefined while the version has runs, or gets some; else why not, and what to do. */
  readonly problem: string | undefined;
  /** Takes what the description of the workflow queue says of versions. */
  look(described: Described): Promise<void>;
}

/** Watches one version over the connection of its worker. */
export function watchVersion(connection: NativeConnection, namespace: string, buildId: string): VersionWatch {
  let problem: string | undefined = explain(buildId, undefined);
  return {
    get problem() {
      return problem;
    },
    async look({ versioningInfo }) {
      const { currentDeploymentVersion, rampingDeploymentVersion } = versioningInfo ?? {};
      const isRouted = [currentDeploymentVersion, rampingDeploymentVersion].some(
        (version) => version?.deploymentName === DEPLOYMENT_NAME && version.buildId === buildId,
      );
      if (isRouted) return void (problem = undefined);
      // Temporal asks an entity workflow of its own for the rest, so only what is not in use asks.
      await connection
        .withDeadline(Date.now() + PULSE_DEADLINE_MS, () => readVersionStatus(connection, namespace, buildId))
        .then(
          (status) => (problem = explain(buildId, status)),
          () => undefined, // what was known last stands: that Temporal is away is for the pulse to say
        );
    },
  };
}

function explain(buildId: string, status: VersionStatus | undefined): string | undefined {
  switch (status) {
    case 'current':
    case 'ramping':
    case 'draining':
      return undefined;
    case undefined:
    case 'inactive':
      return `version ${buildId} is not in use, so it gets no runs: npm run deployments -- set-current ${buildId}`;
    case 'drained':
      return `version ${buildId} is drained: stop this worker, or npm run deployments -- set-current ${buildId}`;
  }
}
