import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { projectRoot } from '../../src/local/project-root.ts';
import { bundleWorkflows } from '../../src/temporal/workflow-bundle.ts';

/**
 * Workflow code runs in a context of its own, which the variable that says what mutant is active does not reach: it is
 * written into the bundle. With none, as when the tests are tried first, it is a bundle all the same: one that no
 * workflow can be run by would have every mutant noticed. The servers are those of all tests, whose setup has run before.
 */
export default async function setup(project: TestProject): Promise<void> {
  if (process.env['MUTATION_IN_BUNDLE'] === undefined) return;
  const env = { ['__STRYKER_ACTIVE_MUTANT__']: process.env['__STRYKER_ACTIVE_MUTANT__'] ?? 'none' };
  const { code } = await bundleWorkflows(join(projectRoot(), 'workflows/index.ts'));
  const path = join(await mkdtemp(join(tmpdir(), 'mutant-')), 'workflows.cjs');
  await writeFile(path, `globalThis.process = { env: ${JSON.stringify(env)} };\n${code}`);
  project.provide('workflowBundle', path);
}
