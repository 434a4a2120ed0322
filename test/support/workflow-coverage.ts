import { WorkflowCoverage } from '@temporalio/nyc-test-coverage';
import type { BundleOptions } from '@temporalio/worker';

/** Where Temporal's coverage tool looks for the counters, and where Vitest keeps them. */
const coverageGlobals = globalThis as { __coverage__?: object; __VITEST_COVERAGE__?: object };

/** Adds counters to a workflow bundle, since workflow code runs where Vitest's own instrumentation does not reach. */
export function instrumented(options: BundleOptions & { workflowsPath: string }): BundleOptions {
  coverageGlobals.__coverage__ ??= {};
  return new WorkflowCoverage().augmentBundleOptions(options);
}

/** Receives the counters of this process' workflows. */
export const workflowCoverage = new WorkflowCoverage();

/** Adds the workflows' counters to those that Vitest reports. */
export function reportWorkflowCoverage(): void {
  if (!coverageGlobals.__VITEST_COVERAGE__) return;
  coverageGlobals.__coverage__ = coverageGlobals.__VITEST_COVERAGE__;
  workflowCoverage.mergeIntoGlobalCoverage();
  // The tool leaves objects of a class; Vitest reads plain data.
  coverageGlobals.__VITEST_COVERAGE__ = JSON.parse(JSON.stringify(coverageGlobals.__coverage__)) as object;
}
