import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { inject, onTestFinished } from 'vitest';
import { freePort } from '../../src/local/ports.ts';
import { projectRoot } from '../../src/local/project-root.ts';
import type { LogLine } from './log.ts';
import { testNamespace } from './temporal.ts';

export interface TestProcess {
  port: number;
  url: string;
  pid: number;
  /** What it has logged so far. */
  log(): LogLine[];
  /** All that it has written so far, to whichever stream. */
  output(): string;
  /** What its readiness probe sees; status 0 while nobody listens. */
  readyz(): Promise<{ status: number; body: Record<string, unknown> }>;
  kill(signal: NodeJS.Signals): void;
  /** Exit code and signal. */
  exited: Promise<[number | null, NodeJS.Signals | null]>;
}

/** Starts one process as its npm script does, with nothing but these settings; it is killed when the test ends. */
export async function startProcess(
  entry: 'api' | 'board' | 'relay' | 'worker',
  settings: NodeJS.ProcessEnv,
  args: string[] = [],
): Promise<TestProcess> {
  const port = await freePort();
  const child = spawn(process.execPath, [`dist/src/${entry}.js`, ...args], {
    cwd: projectRoot(),
    env: {
      PATH: process.env['PATH'],
      HOME: process.env['HOME'],
      TEMPORAL_ADDRESS: inject('temporalAddress'),
      TEMPORAL_NAMESPACE: testNamespace(),
      API_AUTH: 'off',
      ENRICHMENT_DELAY_MS: '50',
      PORT: String(port),
      HEALTH_PORT: String(port),
      BOARD_PORT: String(port),
      ...settings,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const output: string[] = [];
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => output.push(chunk.toString()));
  const exited = once(child, 'exit') as TestProcess['exited'];
  onTestFinished(({ task }) => {
    child.kill('SIGKILL');
    if (task.result?.state === 'fail') console.log(`${entry} ${args.join(' ')}\n${output.join('')}`);
  });
  const url = `http://127.0.0.1:${port}`;
  return {
    port,
    url,
    pid: child.pid ?? 0,
    output: () => output.join(''),
    log: () =>
      output
        .join('')
        .split('\n')
        .filter((line) => line.startsWith('{'))
        .map((line) => JSON.parse(line) as LogLine),
    async readyz() {
      try {
        const answer = await fetch(`${url}/readyz`, { headers: { connection: 'close' } });
        return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
      } catch {
        return { status: 0, body: {} };
      }
    },
    kill: (signal) => void child.kill(signal),
    exited,
  };
}

/** A connection string that leads to another port. */
export function atPort(connectionString: string, port: number): string {
  const url = new URL(connectionString);
  url.port = String(port);
  return url.href;
}
