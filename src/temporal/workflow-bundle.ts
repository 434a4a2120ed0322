import { access, mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { bundleWorkflowCode, type BundleOptions, type WorkflowBundleWithSourceMap } from '@temporalio/worker';

const WORKFLOWS = join(import.meta.dirname, '../../workflows/index.js');

/** Where `npm run build` leaves the bundle, beside the compiled workflows. */
export const BUNDLE_PATH = join(import.meta.dirname, '../../workflows/bundle.cjs');

/** Bundles the workflow code as workers run it. `options` may add to it, for coverage. */
export function bundleWorkflows(
  workflowsPath = WORKFLOWS,
  augment: (options: BundleOptions) => BundleOptions = (options) => options,
): Promise<WorkflowBundleWithSourceMap> {
  const quiet = () => undefined;
  const logger = { log: quiet, trace: quiet, debug: quiet, info: quiet, warn: console.warn, error: console.error };
  return bundleWorkflowCode(augment({ workflowsPath, logger }));
}

/** Writes the bundle for workers to load: bundling at their start costs seconds. */
export async function writeBundle(path = BUNDLE_PATH): Promise<number> {
  const { code } = await bundleWorkflows();
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, code);
  return code.length;
}

/** @throws Error that says what to run when the project was not built. */
export async function requireBundle(): Promise<{ codePath: string }> {
  await access(BUNDLE_PATH).catch(() => {
    throw new Error('The workflow bundle is missing: run "npm run build" first.');
  });
  return { codePath: BUNDLE_PATH };
}
