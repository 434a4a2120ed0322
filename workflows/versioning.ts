import { workflowInfo } from '@temporalio/workflow';

/**
 * For a workflow that may run for days, or again and again: it goes on with the newest version, so that a change of it
 * needs `patched`. The others end with the version that began them, as workers have it by default.
 * A worker without a version may say nothing of it, or could complete no task: it has a build id, but no deployment.
 */
export const goesOnWithNewest = () =>
  workflowInfo().currentDeploymentVersion?.deploymentName ? { versioningBehavior: 'AUTO_UPGRADE' as const } : {};
