import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { CLI_VERSION, executable, type CliContext, type CliWay, SQLITE_VERSION } from './temporal-cli-way.ts';

const PACKAGE = 'github.com/temporalio/cli/cmd/temporal';
/** A module of ours, which asks for a newer SQLite than the release does. */
const MODULE = `module build

go 1.24.0

require (
	github.com/temporalio/cli v${CLI_VERSION}
	modernc.org/sqlite v${SQLITE_VERSION}
)
`;
/** So that the binary is smaller, and knows its version as a release does. */
const LINKER_FLAGS = `-s -w -X github.com/temporalio/cli/temporalcli.Version=${CLI_VERSION}`;
/** In all; fewer are compiled where Go did some before. */
const ABOUT_PACKAGES = 1_300;
const NOTICE_EVERY_MS = 10_000;

/** A build from source: minutes, once. */
export const goBuild: CliWay = {
  path: (cacheDir) => join(cacheDir, `temporal-cli-${CLI_VERSION}-sqlite-${SQLITE_VERSION}`, executable('temporal')),
  fetch: build,
};

async function build(cacheDir: string, { env, onProgress, signal }: CliContext): Promise<string | undefined> {
  const binDir = await mkdtemp(join(cacheDir, 'build-'));
  const progress = { modules: 0, packages: 0, lastLine: '' };
  const startedAt = performance.now();
  const notice = setInterval(() => {
    const seconds = Math.round((performance.now() - startedAt) / 1_000);
    const { modules, packages } = progress;
    const how =
      packages === 0 ? `${modules} modules fetched` : `${packages} of about ${ABOUT_PACKAGES} packages compiled`;
    onProgress(`building Temporal CLI ${CLI_VERSION}: ${seconds} s, ${how}`);
  }, NOTICE_EVERY_MS);
  onProgress(`building Temporal CLI ${CLI_VERSION} with Go: five minutes or so, this once`);
  try {
    await writeFile(join(binDir, 'go.mod'), MODULE);
    const fault = await goInstall(binDir, env, progress, signal);
    if (fault !== undefined) return `no build with Go (${fault})`;
    const target = goBuild.path(cacheDir);
    await mkdir(dirname(target), { recursive: true });
    await chmod(join(binDir, executable('temporal')), 0o755);
    await rename(join(binDir, executable('temporal')), target);
    return undefined;
  } finally {
    clearInterval(notice);
    await rm(binDir, { recursive: true, force: true });
  }
}

async function goInstall(
  folder: string,
  env: NodeJS.ProcessEnv,
  progress: { modules: number; packages: number; lastLine: string },
  signal: AbortSignal | undefined,
): Promise<string | undefined> {
  const args = ['install', '-mod=mod', '-v', '-ldflags', LINKER_FLAGS, PACKAGE];
  const go = spawn('go', args, {
    cwd: folder,
    env: { ...env, GOBIN: folder },
    stdio: ['ignore', 'ignore', 'pipe'],
    ...(signal ? { signal } : {}),
  });
  createInterface({ input: go.stderr }).on('line', (line) => {
    if (line.startsWith('go: downloading')) progress.modules += 1;
    else if (/^[\w.~/-]+$/.test(line)) progress.packages += 1;
    else progress.lastLine = line;
  });
  try {
    const [code] = (await once(go, 'close')) as [number | null];
    return code === 0 ? undefined : progress.lastLine || `go ended with code ${code ?? 'none'}`;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'go is not installed' : String(error);
  }
}
