import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { projectRoot } from '../project-root.ts';
import { runCommand } from '../processes/run-command.ts';
import { CLI_VERSION, executable, type CliContext, type CliWay } from './temporal-cli-way.ts';

/** A stuck network must not keep us from the next way. */
const GIVE_UP_AFTER_MS = 180_000;
const NOTICE_EVERY_MS = 10_000;

/** Runs in a process of its own: the SDK's native runtime takes the signals of the process that loads it. */
const SCRIPT = `
  const { TestWorkflowEnvironment } = await import('@temporalio/testing');
  const [downloadDir, version] = process.argv.slice(1);
  const server = { executable: { type: 'cached-download', downloadDir, version } };
  await (await TestWorkflowEnvironment.createLocal({ server })).teardown();
`;

/** The download of Temporal's own SDK, which has to start the server once in order to fetch it. */
export const sdkDownload: CliWay = {
  // The SDK names the file so.
  path: (cacheDir) => join(cacheDir, executable(`temporal-v${CLI_VERSION}`)),
  fetch,
};

async function fetch(cacheDir: string, { onProgress, signal }: CliContext): Promise<string | undefined> {
  await rm(sdkDownload.path(cacheDir), { force: true });
  const startedAt = performance.now();
  const notice = setInterval(() => {
    onProgress(`downloading Temporal CLI ${CLI_VERSION}: ${Math.round((performance.now() - startedAt) / 1_000)} s`);
  }, NOTICE_EVERY_MS);
  const args = ['--input-type=module', '--eval', SCRIPT, cacheDir, `v${CLI_VERSION}`];
  const result = await runCommand(process.execPath, args, {
    cwd: projectRoot(),
    timeoutMs: GIVE_UP_AFTER_MS,
    ...(signal ? { signal } : {}),
  });
  clearInterval(notice);
  if (result.ok) return undefined;
  const missing = result.stderr.includes('ERR_MODULE_NOT_FOUND')
    ? '@temporalio/testing is not installed'
    : result.reason;
  const unreachable = result.stderr.includes('temporal.download') ? 'temporal.download is out of reach' : missing;
  return `no download (${unreachable})`;
}
