import { execFileSync } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { WorkflowHandle } from '@temporalio/client';
import { inject } from 'vitest';
import { projectRoot } from '../../src/local/project-root.ts';
import { testNamespace } from './temporal.ts';

/** Runs of released workflow code, a folder for each release. Today's code must replay all of them. */
export const HISTORIES = join(projectRoot(), 'test/histories');

/** With `RECORD_HISTORIES=v1.2.3` set, keeps the run of a test for later releases to replay. */
export async function recordHistory(handle: WorkflowHandle, scenario: string): Promise<void> {
  const release = process.env['RECORD_HISTORIES'];
  if (!release) return;
  const folder = join(HISTORIES, release);
  await mkdir(folder, { recursive: true });
  const file = `${scenario.toLowerCase().replaceAll(/[^a-z]+/g, '-')}.json`;
  const where = ['--address', inject('temporalAddress'), '--namespace', testNamespace()];
  const show = ['workflow', 'show', '--workflow-id', handle.workflowId, '--output', 'json', ...where];
  const history = execFileSync(inject('temporalCli'), show, { encoding: 'utf8' });
  await writeFile(join(folder, file), history.replaceAll(projectRoot(), '')); // stack traces name the folder
}
