import { EventEmitter, on } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Launchable, launch } from '../../src/local/processes/launch.ts';
import type { Part } from '../../src/local/processes/part.ts';
import { waitUntilReady } from '../../src/local/processes/readiness.ts';

/** A process that a bench started. */
export interface Running {
  name: string;
  pid: number;
  /** Tells it to stop, and waits for its end. */
  stop(): Promise<void>;
  /** Ends it at once, with what it has not done yet. */
  kill(): Promise<void>;
}

/** Waits until a process does its work; it gets the lines that the process writes. */
export type UntilReady = (signal: AbortSignal, lines: EventEmitter) => Promise<void>;

/** Ready when somebody takes connections there. */
export const listens =
  (port: number): UntilReady =>
  async (signal) => {
    while (!(await takesConnections(port))) await sleep(50, undefined, { signal });
  };

/** Ready when it has written a line with these words. */
export const says =
  (words: string): UntilReady =>
  async (signal, lines) => {
    for await (const [line] of on(lines, 'line', { signal }) as AsyncIterable<[string]>) {
      if (line.includes(words)) return;
    }
  };

/** Runs a part of the local stack as `npm start` does. */
export const runPart = (part: Part): Promise<Running> => run(part, (signal) => waitUntilReady(part.ready, signal));

/** Runs a program of a bench. */
export const runProgram = (
  program: Pick<Part, 'name' | 'command' | 'args' | 'env'> & { cwd?: string },
  untilReady: UntilReady,
): Promise<Running> => run({ stopSignal: 'SIGTERM', stopWithinMs: 10_000, ...program }, untilReady);

/** @throws Error with its last lines when it ends before it is ready */
async function run(part: Launchable, untilReady: UntilReady): Promise<Running> {
  const lines = new EventEmitter();
  const waiting = new AbortController();
  const ready = untilReady(waiting.signal, lines);
  const launched = launch(part, (line) => lines.emit('line', line));
  const died = launched.exited.then((reason) => {
    throw new Error(`${part.name} ended before it was ready (${reason}):\n${launched.lastLines.join('\n')}`);
  });
  try {
    await Promise.race([ready, died]);
  } finally {
    waiting.abort();
    for (const promise of [ready, died]) promise.catch(() => undefined);
  }
  let isToEnd = false;
  void launched.exited.then((reason) => {
    if (!isToEnd) console.error(`${part.name} ended by itself (${reason}):\n${launched.lastLines.join('\n')}`);
  });
  return {
    name: part.name,
    pid: launched.pid ?? 0,
    async stop() {
      isToEnd = true;
      await launched.stop();
    },
    async kill() {
      isToEnd = true;
      launched.kill();
      await launched.exited;
    },
  };
}

function takesConnections(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
