import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, inject } from 'vitest';
import { EXAMPLE_LEAD } from '../../src/leads/example-lead.ts';
import { freePort } from '../../src/local/ports.ts';
import { PATIENCE_MS } from './patience.ts';
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
  /** Ends the process of a part as a power cut would. @returns once another has taken its place, and all of it is ready */
  crash(part: string): Promise<void>;
  /** Sends Ctrl-C's signal, waits for the end. @returns the exit code */
  stop(): Promise<number | null>;
  remove(): Promise<void>;
}

/** Runs what `npm start` runs, on free ports and an empty data folder, until the API is ready. */
export async function startLocalStack(settings: NodeJS.ProcessEnv = {}): Promise<LocalStack> {
  const root = projectRoot();

  const dataDir = await mkdtemp(join(tmpdir(), 'lead-onboarding-e2e-'));
  const ports = await Promise.all([freePort(), freePort(), freePort(), freePort(), freePort()]);
  const [PORT, BOARD_PORT, POSTGRES_PORT, TEMPORAL_PORT, TEMPORAL_UI_PORT] = ports.map(String);
  const env = {
    ...withoutTestVariables(process.env),
    PATH: `${join(inject('temporalCli'), '..')}:${process.env['PATH'] ?? ''}`,
    DATA_DIR: dataDir,
    PORT,
    BOARD_PORT,
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

  async function pidOf(part: string): Promise<number> {
    const { parts } = JSON.parse(await readFile(join(dataDir, 'run.json'), 'utf8')) as {
      parts: { name: string; pid: number }[];
    };
    const pid = parts.find(({ name }) => name === part)?.pid;
    if (pid === undefined) throw new Error(`${part} is not in ${JSON.stringify(parts)}`);
    return pid;
  }

  return {
    url,
    dataDir,
    env,
    output: () => written.join(''),
    pidOf,
    async crash(part) {
      const pid = await pidOf(part);
      process.kill(pid, 'SIGKILL');
      const others = async () => (await pidOf(part)) !== pid;
      await expect.poll(others, { message: `${part} is started again` }).toBe(true);
      await untilReady(url, child, () => written.join(''));
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
  const deadline = Date.now() + PATIENCE_MS;
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

/** Sends the seed's lead with an e-mail of its own, again and again while the API or its database is away. @returns its id */
export async function postLead(url: string, email: string): Promise<string> {
  const body = JSON.stringify({ ...EXAMPLE_LEAD, email });
  const headers = { 'content-type': 'application/json', 'idempotency-key': email };
  const post = () => fetch(`${url}/api/leads`, { method: 'POST', headers, body });
  const answer = await untilAnswered(post, `${email} is not taken in`);
  return ((await answer.json()) as { id: string }).id;
}

/** Reads a lead's timeline until it has an entry of the type. */
export async function timelineUntil(url: string, leadId: string, type: string): Promise<TimelineEntry[]> {
  const deadline = Date.now() + PATIENCE_MS;
  for (;;) {
    const answer = await untilAnswered(() => fetch(`${url}/api/leads/${leadId}/timeline`), `no timeline of ${leadId}`);
    const { items } = (await answer.json()) as { items: TimelineEntry[] };
    if (items.some((entry) => entry.type === type)) return items;
    if (Date.now() > deadline) throw new Error(`no ${type} in ${JSON.stringify(items.map((entry) => entry.type))}`);
    await sleep(100);
  }
}

async function untilAnswered(call: () => Promise<Response>, otherwise: string): Promise<Response> {
  const deadline = Date.now() + PATIENCE_MS;
  for (;;) {
    const answer = await call().catch(() => undefined);
    if (answer?.ok) return answer;
    if (Date.now() > deadline) throw new Error(`${otherwise}: ${answer?.status ?? 'nobody answers'}`);
    await sleep(200);
  }
}
