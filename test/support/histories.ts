import { execFileSync } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { WorkflowHandle } from '@temporalio/client';
import { expect, inject } from 'vitest';
import { projectRoot } from '../../src/local/project-root.ts';
import { namespaceOf } from './global-setup.ts';

/** Runs of released workflow code, a folder for each release. Today's code must replay all of them. */
export const HISTORIES = join(projectRoot(), 'test/histories');

/** File names that this process has given, each with the run that it is of. */
const taken = new Map<string, string>();

/** With `RECORD_HISTORIES=v1.2.3` set, keeps the run of the test that calls this for later releases to replay. */
export async function recordHistory(handle: WorkflowHandle): Promise<void> {
  const release = process.env['RECORD_HISTORIES'];
  if (!release) return;
  const { type } = await handle.describe();
  const folder = join(HISTORIES, release);
  await mkdir(folder, { recursive: true });
  const where = [
    '--address',
    inject('temporalAddress'),
    '--namespace',
    namespaceOf(process.env['VITEST_POOL_ID'] ?? '1'),
  ];
  const show = ['workflow', 'show', '--workflow-id', handle.workflowId, '--output', 'json', ...where];
  const history = execFileSync(inject('temporalCli'), show, { encoding: 'utf8', maxBuffer: 2 ** 26 });
  const file = join(folder, `${nameOf(type, handle.workflowId)}.json`);
  await writeFile(file, history.replaceAll(projectRoot(), '')); // stack traces name the folder
}

/** The workflow, what the test says of it, and a number where a test has several runs of one workflow. */
function nameOf(type: string, workflowId: string): string {
  const says = expect.getState().currentTestName?.split(' > ').at(-1) ?? 'run';
  const base = `${type}-${says.toLowerCase().replaceAll(/[^a-z]+/g, '-')}`.replace(/-+$/, '');
  for (let number = 1; ; number += 1) {
    const name = number === 1 ? base : `${base}-${number}`;
    if ((taken.get(name) ?? workflowId) !== workflowId) continue;
    taken.set(name, workflowId);
    return name;
  }
}
