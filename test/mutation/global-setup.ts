import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { projectRoot } from '../../src/local/project-root.ts';
import { bundleWorkflows } from '../../src/temporal/workflow-bundle.ts';

/**
 * Workflow code runs in a context of its own, which the mutant that is active does not reach: it is written into the
 * bundle. The servers are those of all tests, whose setup has run before this one.
 */
export default async function setup(project: TestProject): Promise<void> {
  const mutant = process.env['__STRYKER_ACTIVE_MUTANT__'];
  if (mutant === undefined) return;
  const { code } = await bundleWorkflows(join(projectRoot(), 'workflows/index.ts'));
  const path = join(await mkdtemp(join(tmpdir(), 'mutant-')), 'workflows.cjs');
  await writeFile(path, `globalThis.__stryker__ = { activeMutant: ${JSON.stringify(mutant)} };\n${code}`);
  project.provide('workflowBundle', path);
}
