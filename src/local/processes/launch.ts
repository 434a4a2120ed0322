import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { giveWay } from './give-way.ts';
import { commandAs } from './command-line.ts';
import { guard } from './guard.ts';
import type { Part } from './part.ts';

const LINES_KEPT = 15;

/** What a start needs to know of a part. */
export type Launchable = Omit<Part, 'ready' | 'output'>;

/** One running process of a part. */
export interface Launched {
  pid: number | undefined;
  /** Resolves with the reason, in words, once the process is gone. */
  exited: Promise<string>;
  /** The last lines that it wrote. */
  lastLines: string[];
  /** Resolves once it is gone: true when it had to be killed. */
  stop(): Promise<boolean>;
  kill(): void;
}

/**
 * Starts a part in a session of its own: a terminal's Ctrl-C reaches us alone, and we decide about the order.
 * @param onLine gets each line that it writes
 */
export function launch(part: Launchable, onLine: (line: string) => void = () => undefined): Launched {
  const { command, args, options } = commandAs(part.runAs, part.command, part.args);
  const child = spawn(command, args, {
    ...options,
    ...(part.cwd === undefined ? {} : { cwd: part.cwd }),
    env: part.env,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const lastLines: string[] = [];
  const keep = (line: string) => {
    lastLines.push(line);
    if (lastLines.length > LINES_KEPT) lastLines.shift();
    onLine(line);
  };
  const read = [readLines(child.stdout, keep), readLines(child.stderr, keep)];
  const { pid } = child;
  if (pid !== undefined && part.yields) giveWay(pid);
  const guarded = pid === undefined ? undefined : guard(pid, part.stopSignal);
  let gone = false;
  const exited = new Promise<string>((resolve) => {
    child.once('error', (error) => {
      resolve(`cannot run ${command}: ${error.message}`);
    });
    child.once('exit', (code, signal) => {
      resolve(signal ?? `exit code ${code ?? 'unknown'}`);
    });
  }).then(async (reason) => {
    gone = true;
    guarded?.release();
    // Its last lines tell why; a grandchild may hold the pipe open for longer than they take.
    await Promise.race([Promise.all(read), sleep(500, undefined, { ref: false })]);
    return reason;
  });
  const kill = () => {
    if (!gone && pid !== undefined) signalGroup(pid);
  };
  return { pid, exited, lastLines, kill, stop };

  async function stop(): Promise<boolean> {
    if (gone || pid === undefined) return false;
    child.kill(part.stopSignal);
    const patience = new AbortController();
    const timeout = sleep(part.stopWithinMs, 'late' as const, { signal: patience.signal }).catch(() => 'gone' as const);
    const outcome = await Promise.race([exited, timeout]);
    patience.abort();
    if (outcome === 'late') kill();
    await exited;
    return outcome === 'late';
  }
}

/** Kills a process and what it started in its session. */
function signalGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // It went by itself in between.
  }
}

async function readLines(stream: Readable, onLine: (line: string) => void): Promise<void> {
  const lines = createInterface({ input: stream });
  lines.on('line', onLine);
  await once(lines, 'close');
}
