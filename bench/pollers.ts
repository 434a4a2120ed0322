import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client, Connection, type WorkflowHandle } from '@temporalio/client';
import { freePort } from '../src/local/ports.ts';
import { launch } from '../src/local/processes/launch.ts';
import { waitUntilReady } from '../src/local/processes/readiness.ts';
import { projectRoot } from '../src/local/project-root.ts';
import { prepareTemporal } from '../src/local/temporal/temporal.ts';
import { resolveTemporalCli } from '../src/local/temporal/temporal-cli.ts';
import { LEAD_ONBOARDING, type OnboardingInput, TASK_QUEUES } from '../workflows/contract.ts';

const ROUNDS = Number(process.argv[2] ?? 3);
const IDLE_MS = Number(process.argv[3] ?? 30_000);
const BURST = 100;
/** Values of `ONBOARDING_POLLERS`; none is as many as slots, at most 10. */
const SIDES = ['', '2', 'auto'];
const MS_PER_TICK = 10; // of the kernel's clock, in which `/proc` counts

interface Figures {
  pollers: number;
  workerIdle: number;
  serverIdle: number;
  firstTaskMs: number;
  afterIdleMs: number;
  burstMs: number;
}

/** A run that decides once and then waits for good: its first task is what is measured. */
function start(client: Client): Promise<WorkflowHandle> {
  const leadId = randomUUID();
  const input: OnboardingInput = {
    leadId,
    organizationId: 'org-1',
    round: 1,
    requestId: 'bench',
    enrichmentDelayMs: 3_600_000,
    priority: 'NORMAL',
    searchAttributes: false,
  };
  return client.workflow.start(LEAD_ONBOARDING, {
    taskQueue: TASK_QUEUES.onboarding,
    workflowId: leadId,
    args: [input],
  });
}

/** When a run was started and when its first task was done, by the server's clock; waits for that. */
async function firstTask(handle: WorkflowHandle): Promise<{ started: number; done: number }> {
  for (;;) {
    const { events } = await handle.fetchHistory();
    const timeOf = (type: 'workflowExecutionStarted' | 'workflowTaskCompleted') => {
      const time = events?.find((event) => event[`${type}EventAttributes`])?.eventTime;
      return time ? Number(time.seconds) * 1_000 + (time.nanos ?? 0) / 1e6 : undefined;
    };
    const [started, done] = [timeOf('workflowExecutionStarted'), timeOf('workflowTaskCompleted')];
    if (started !== undefined && done !== undefined) return { started, done };
    await sleep(50);
  }
}

async function cpuMs(pid: number): Promise<number> {
  const fields = (await readFile(`/proc/${pid}/stat`, 'utf8')).replace(/^.*\) /, '').split(' ');
  return (Number(fields[11]) + Number(fields[12])) * MS_PER_TICK;
}

async function measure(client: Client, address: string, serverPid: number, pollers: string): Promise<Figures> {
  const waiting = await start(client);
  const metricsPort = await freePort();
  const spawnedAt = Date.now();
  const worker = spawn(process.execPath, ['dist/src/worker.js', '--task-queue', TASK_QUEUES.onboarding], {
    cwd: projectRoot(),
    env: {
      PATH: process.env['PATH'],
      TEMPORAL_ADDRESS: address,
      ONBOARDING_POLLERS: pollers,
      METRICS_PORT: String(metricsPort),
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const pid = worker.pid ?? 0;
  createInterface({ input: worker.stdout }).resume();
  const firstTaskMs = (await firstTask(waiting)).done - spawnedAt;
  await sleep(5_000);
  const before = await Promise.all([cpuMs(pid), cpuMs(serverPid)]);
  await sleep(IDLE_MS);
  const after = await Promise.all([cpuMs(pid), cpuMs(serverPid)]);
  const metrics = await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text();
  const open = Array.from(metrics.matchAll(/^temporal_num_pollers\{[^}]*\} (\d+)/gm), ([, count]) => Number(count));
  const one = await firstTask(await start(client));
  const burst = await Promise.all(
    (await Promise.all(Array.from({ length: BURST }, () => start(client)))).map((handle) => firstTask(handle)),
  );
  const exit = once(worker, 'exit');
  worker.kill('SIGTERM');
  await exit;
  const percent = (index: 0 | 1) => ((after[index] - before[index]) / IDLE_MS) * 100;
  return {
    pollers: open.reduce((sum, count) => sum + count, 0),
    workerIdle: percent(0),
    serverIdle: percent(1),
    firstTaskMs,
    afterIdleMs: one.done - one.started,
    burstMs: Math.max(...burst.map(({ done }) => done)) - Math.min(...burst.map(({ started }) => started)),
  };
}

const median = (values: number[]) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;

const port = await freePort();
const { path: cli } = await resolveTemporalCli();
const folder = await mkdtemp(join(tmpdir(), 'lead-onboarding-bench-'));
const part = await prepareTemporal({ cli, port, dbFilename: join(folder, 'temporal.db') });
const server = launch(part);
await waitUntilReady(part.ready, new AbortController().signal);
const address = `127.0.0.1:${port}`;
const client = new Client({ connection: Connection.lazy({ address }) });
const figures = new Map<string, Figures[]>(SIDES.map((side) => [side, []]));
for (let round = 0; round < ROUNDS; round += 1)
  for (const side of SIDES) figures.get(side)?.push(await measure(client, address, server.pid ?? 0, side));
console.log(
  '| ONBOARDING_POLLERS | open polls | worker idle, % CPU | server, % CPU | spawn to first task, ms | one run, ms | 100 runs, ms |',
);
console.log('| --- | ---: | ---: | ---: | ---: | ---: | ---: |');
for (const [side, rounds] of figures) {
  const show = (name: keyof Figures, digits = 0) => {
    const values = rounds.map((figure) => figure[name]);
    return `${median(values).toFixed(digits)} (${Math.min(...values).toFixed(digits)}–${Math.max(...values).toFixed(digits)})`;
  };
  console.log(
    `| ${side || 'unset'} | ${show('pollers')} | ${show('workerIdle', 1)} | ${show('serverIdle', 1)} | ${show('firstTaskMs')} | ${show('afterIdleMs')} | ${show('burstMs')} |`,
  );
}
await client.connection.close();
await server.stop();
await rm(folder, { recursive: true, force: true });
