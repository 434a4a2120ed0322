import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { inject } from 'vitest';
import { freePort } from '../../src/local/ports.ts';
import { projectRoot } from '../../src/local/project-root.ts';

export interface TimelineEntry {
  type: string;
  elapsedMs: number;
  data: Record<string, unknown>;
}

export interface LocalStack {
  url: string;
  dataDir: string;
  env: NodeJS.ProcessEnv;
  /** All that it wrote so far. */
  output(): string;
  /** The process of a part at this moment. */
  pidOf(part: string): Promise<number>;
  /** Sends Ctrl-C's signal, waits for the end. @returns the exit code */
  stop(): Promise<number | null>;
  remove(): Promise<void>;
}

const START_WITHIN_MS = 60_000;

/** Runs what `npm start` runs, on free ports and an empty data folder, until the API is ready. */
export async function startLocalStack(settings: NodeJS.ProcessEnv = {}): Promise<LocalStack> {
  const root = projectRoot();

  const dataDir = await mkdtemp(join(tmpdir(), 'lead-onboarding-e2e-'));
  const ports = await Promise.all([freePort(), freePort(), freePort(), freePort()]);
  const [PORT, POSTGRES_PORT, TEMPORAL_PORT, TEMPORAL_UI_PORT] = ports.map(String);
  const env = {
    ...withoutTestVariables(process.env),
    PATH: `${join(inject('temporalCli'), '..')}:${process.env['PATH'] ?? ''}`,
    DATA_DIR: dataDir,
    PORT,
    POSTGRES_PORT,
    TEMPORAL_PORT,
    TEMPORAL_UI_PORT,
    ...settings,
  };
  const child = spawn(process.execPath, ['dist/src/local/start.js'], {
    cwd: root,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const written: string[] = [];
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => written.push(chunk.toString()));
  const exited = once(child, 'exit') as Promise<[number | null]>;
  const url = `http://127.0.0.1:${PORT ?? ''}`;
  await untilReady(url, child, () => written.join(''));
  return {
    url,
    dataDir,
    env,
    output: () => written.join(''),
    async pidOf(part) {
      const { parts } = JSON.parse(await readFile(join(dataDir, 'run.json'), 'utf8')) as {
        parts: { name: string; pid: number }[];
      };
      const pid = parts.find(({ name }) => name === part)?.pid;
      if (pid === undefined) throw new Error(`${part} is not in ${JSON.stringify(parts)}`);
      return pid;
    },
    async stop() {
      if (child.exitCode === null) child.kill('SIGINT');
      return (await exited)[0];
    },
    async remove() {
      if (child.exitCode === null) child.kill('SIGKILL');
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

/** Vitest's own settings would change how the processes behave. */
function withoutTestVariables(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(env).filter(([name]) => !/^(VITEST|NODE_ENV$|NODE_OPTIONS$|TEST$)/.test(name)),
  );
}

async function untilReady(url: string, child: ChildProcess, output: () => string): Promise<void> {
  const deadline = Date.now() + START_WITHIN_MS;
  while (Date.now() < deadline && child.exitCode === null) {
    const ready = await fetch(`${url}/readyz`).then(
      ({ ok }) => ok,
      () => false,
    );
    if (ready) return;
    await sleep(200);
  }
  child.kill('SIGINT');
  throw new Error(`The local stack is not ready:\n${output()}`);
}

/** Reads a lead's timeline until it has an entry of the type. */
export async function timelineUntil(
  url: string,
  leadId: string,
  type: string,
  withinMs = 40_000,
): Promise<TimelineEntry[]> {
  const deadline = Date.now() + withinMs;
  for (;;) {
    const answer = await fetch(`${url}/api/leads/${leadId}/timeline`);
    const { items } = (await answer.json()) as { items: TimelineEntry[] };
    if (items.some((entry) => entry.type === type)) return items;
    if (Date.now() > deadline) throw new Error(`no ${type} in ${JSON.stringify(items.map((entry) => entry.type))}`);
    await sleep(100);
  }
}
