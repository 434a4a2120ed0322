import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { cacheDirOf } from '../../src/local/cache-dir.ts';
import { runCommand } from '../../src/local/processes/run-command.ts';
import { withLock } from '../../src/local/temporal/lock.ts';

/** Whether there is a Go, for tools that come by it; says so once when there is none. */
export async function hasGo(): Promise<boolean> {
  const { ok } = await runCommand('go', ['version']);
  if (!ok) console.warn('No Go on the PATH: tests with tools that are built by it are skipped.');
  return ok;
}

/**
 * A program that `go install` builds from its module: minutes, once for this machine.
 * @param target a package with its version, as in `example.com/module/cmd/tool@v1.2.3`
 * @returns its path
 */
export async function goTool(target: string): Promise<string> {
  const [path = '', version = ''] = target.split('@');
  const name = path.split('/').findLast((part) => !/^v\d+$/.test(part)) ?? '';
  const cacheDir = cacheDirOf(process.env);
  const folder = join(cacheDir, `${name}-${version}`);
  if (existsSync(folder)) return join(folder, name);
  await mkdir(cacheDir, { recursive: true });
  const waiting = { onWait: () => console.log(`another process builds ${name}`), signal: undefined };
  await withLock(join(cacheDir, `${name}.lock`), waiting, async () => {
    if (existsSync(folder)) return;
    const binDir = await mkdtemp(join(cacheDir, 'build-'));
    try {
      await go(['install', target], { ...process.env, GOBIN: binDir });
      await rename(binDir, folder);
    } finally {
      await rm(binDir, { recursive: true, force: true });
    }
  });
  return join(folder, name);
}

/** The folder with the sources of a module, as in `example.com/module@v1.2.3`. */
export async function goModule(target: string): Promise<string> {
  return (JSON.parse(await go(['mod', 'download', '-json', target], process.env)) as { Dir: string }).Dir;
}

async function go(args: string[], env: NodeJS.ProcessEnv): Promise<string> {
  const result = await runCommand('go', args, { env });
  if (!result.ok) throw new Error(`go ${args.join(' ')}: ${result.reason}\n${result.stdout}${result.stderr}`);
  return result.stdout;
}
