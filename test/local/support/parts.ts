import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { Part } from '../../../src/local/processes/part.ts';
import { freePort } from '../../../src/local/ports.ts';

/** A folder that is gone after the test. */
export async function makeTempDir(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'lead-onboarding-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** A process that answers 200 on its port, and says so when it is told to stop. `extra` runs before that. */
export async function makeServerPart(folder: string, name: string, extra = ''): Promise<Part> {
  const port = await freePort();
  const script = join(folder, `${name}.mjs`);
  await writeFile(
    script,
    `import { createServer } from 'node:http';
     import { existsSync, writeFileSync } from 'node:fs';
     ${extra}
     createServer((_, answer) => answer.writeHead(existsSync(${JSON.stringify(join(folder, 'broken'))}) ? 500 : 200).end()).listen(${port}, '127.0.0.1');
     process.on('SIGTERM', () => { console.log(JSON.stringify({ level: 30, msg: 'bye' })); process.exit(); });`,
  );
  return {
    name,
    command: process.execPath,
    args: [script],
    env: process.env,
    ready: { kind: 'http', url: `http://127.0.0.1:${port}/` },
    output: 'pino',
    stopSignal: 'SIGTERM',
    stopWithinMs: 5_000,
  };
}

/** Whether a process of that number exists. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
