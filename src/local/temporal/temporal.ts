import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { SEARCH_ATTRIBUTES } from '../../../workflows/contract.ts';
import type { Part } from '../processes/part.ts';
import { freePort } from '../ports.ts';
import { runOnce } from '../processes/run-once.ts';

export interface TemporalOptions {
  /** Path of the Temporal CLI, see `resolveTemporalCli`. */
  cli: string;
  port: number;
  /** Without it there is no Web UI. */
  uiPort?: number;
  /** Where runs are kept. Never in memory: a busy server loses such a store, with all that is in it (temporalio/temporal #3784). */
  dbFilename: string;
  namespaces?: string[];
}

const DYNAMIC_CONFIG = [
  // Before server 1.31 task priority and fairness are ignored, silently, without these.
  'matching.useNewMatcher=true',
  'matching.enableFairness=true',
  // One server gains nothing by more partitions, and priorities hold within a partition only.
  'matching.numTaskqueueReadPartitions=1',
  'matching.numTaskqueueWritePartitions=1',
  // Before server 1.30 workers do not say how many of their slots are in use without these.
  'frontend.WorkerHeartbeatsEnabled=true',
  'frontend.ListWorkersEnabled=true',
  // Two for each run that is remembered. By default 128,000 are, however long ago they ended: gigabytes.
  'history.hostLevelCacheMaxSize=4000',
  // One clock needs no allowance for another: by default a timer of 50 ms takes a second.
  'history.timerProcessorMaxTimeShift="10ms"',
  // A shard looks for tasks 20 times a second at most by default, and there is one shard: at 5 leads a second each of their
  // 8 tasks waited for the next twentieth. More looks than this cost throughput.
  'history.transferProcessorMaxPollRPS=100',
  'history.timerProcessorMaxPollRPS=100',
];

// Releases with an SQLite of before 1.44 may lose their connection to it for good when they are starved of the processor:
// they say "interrupted (9)", then that there is no such namespace. The file has all of it, so that a new process goes on.
const STUCK_AFTER_MS = 20_000;

// SQLite's default journal waits for the disk at each commit, 20 times for a lead. With these it waits when the log is merged
// into the file: a power loss takes the last moments, and the reconciler orders again what they began.
const PRAGMAS = ['journal_mode=WAL', 'synchronous=NORMAL'];

/** Describes a dev server process that knows our search attributes. */
export async function prepareTemporal({
  cli,
  port,
  uiPort,
  dbFilename,
  namespaces = ['default'],
}: TemporalOptions): Promise<Part> {
  await mkdir(dirname(dbFilename), { recursive: true });
  const httpPort = await freePort();
  const [namespace = 'default'] = namespaces;
  return {
    name: 'temporal',
    command: cli,
    args: [
      ...['server', 'start-dev', '--ip', '127.0.0.1', '--port', String(port), '--http-port', String(httpPort)],
      ...(uiPort === undefined ? ['--headless'] : ['--ui-port', String(uiPort)]),
      ...['--db-filename', dbFilename, ...PRAGMAS.flatMap((pragma) => ['--sqlite-pragma', pragma])],
      ...['--log-level', 'warn', '--log-format', 'json'],
      ...namespaces.flatMap((name) => ['--namespace', name]),
      ...DYNAMIC_CONFIG.flatMap((setting) => ['--dynamic-config-value', setting]),
      ...SEARCH_ATTRIBUTES.flatMap((name) => ['--search-attribute', `${name}=Keyword`]),
    ],
    // About a fifth more onboardings per second for some more memory.
    env: { GOGC: '400', ...process.env },
    ready: { kind: 'http', url: `http://127.0.0.1:${httpPort}/api/v1/namespaces/${namespace}` },
    stuckAfterMs: STUCK_AFTER_MS,
    output: 'temporal',
    stopSignal: 'SIGTERM',
    stopWithinMs: 10_000,
  };
}

/** Starts a dev server without supervision, for tests. */
export async function startTemporal(options: TemporalOptions): Promise<{ address: string; stop: () => Promise<void> }> {
  const { stop } = await runOnce(await prepareTemporal(options));
  return { address: `127.0.0.1:${options.port}`, stop };
}
