import { spawnSync } from 'node:child_process';
import { projectRoot } from '../../src/local/project-root.ts';

/** Compiles what processes and workers run, if it is not up to date. @throws what the compiler says */
export function build(): void {
  const built = spawnSync(process.execPath, ['build.mjs'], { cwd: projectRoot(), encoding: 'utf8' });
  if (built.status !== 0) throw new Error(built.stderr);
}
