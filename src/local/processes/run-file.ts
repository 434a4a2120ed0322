import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { commandLineOf } from './command-line.ts';
import type { Part } from './part.ts';
import { StartError } from '../start-error.ts';

interface RunningProcess {
  name: string;
  pid: number;
  /** How its command line ends: a number may belong to another process by now. */
  tail: string;
  stopSignal: NodeJS.Signals;
}

interface Run {
  supervisor: RunningProcess;
  parts: RunningProcess[];
}

/** Keeps in the data folder which processes use it, for the next start to find what a killed one left behind. */
export interface RunFile {
  record(part: Part, pid: number): void;
  remove(): Promise<void>;
}

const STOP_WITHIN_MS = 30_000;
const POLL_MS = 100;

/**
 * Takes the data folder for this process and stops what an earlier one left running.
 * @param onLeftover gets the name and process number of each
 * @throws StartError when another start uses the folder
 */
export async function openRunFile(
  file: string,
  onLeftover: (name: string, pid: number) => void,
  signal: AbortSignal,
): Promise<RunFile> {
  const earlier = await readRun(file);
  if (earlier && (await isRunning(earlier.supervisor))) {
    const { pid } = earlier.supervisor;
    throw new StartError(
      `npm start runs already on ${dirname(file)} (process ${pid}): stop it, or set DATA_DIR and the ports`,
    );
  }
  await Promise.all((earlier?.parts ?? []).map((part) => endLeftover(part, onLeftover, signal)));

  const tail = (await commandLineOf(process.pid)) ?? '';
  const run: Run = { supervisor: { name: 'npm start', pid: process.pid, tail, stopSignal: 'SIGTERM' }, parts: [] };
  let written = create(file, run);
  await written;
  return {
    record({ name, args, stopSignal }, pid) {
      run.parts = [...run.parts.filter((part) => part.name !== name), { name, pid, tail: args.join(' '), stopSignal }];
      const text = JSON.stringify(run);
      written = written.then(() => writeFile(file, text)).catch(() => undefined);
    },
    async remove() {
      await written;
      await rm(file, { force: true });
    },
  };
}

async function create(file: string, run: Run): Promise<void> {
  try {
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, JSON.stringify(run));
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? String(error);
    throw new StartError(`Cannot write to ${dirname(file)} (${code}): set DATA_DIR to a folder of yours`);
  }
}

async function readRun(file: string): Promise<Run | undefined> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as Run;
  } catch {
    return undefined;
  }
}

async function isRunning({ pid, tail }: RunningProcess): Promise<boolean> {
  return pid !== process.pid && ((await commandLineOf(pid))?.endsWith(tail) ?? false);
}

async function endLeftover(part: RunningProcess, onLeftover: (name: string, pid: number) => void, signal: AbortSignal) {
  if (!(await isRunning(part))) return;
  onLeftover(part.name, part.pid);
  process.kill(part.pid, part.stopSignal);
  for (let waited = 0; await isRunning(part); waited += POLL_MS) {
    if (waited > STOP_WITHIN_MS) process.kill(part.pid, 'SIGKILL');
    await sleep(POLL_MS, undefined, { signal });
  }
}
