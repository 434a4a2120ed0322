import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { projectRoot } from '../../src/local/project-root.ts';

/**
 * Runs an entry point to its end, as its npm script does.
 * @param entry its path below `src`, without the ending
 */
export async function runEntry(entry: string, args: string[], env: NodeJS.ProcessEnv) {
  const child = spawn(process.execPath, [join(projectRoot(), 'dist/src', `${entry}.js`), ...args], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = once(child, 'exit') as Promise<[number | null]>;
  const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  return { code, stdout, stderr };
}
