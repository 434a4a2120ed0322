import { setTimeout as sleep } from 'node:timers/promises';
import { type Environment, readEnvironment } from './environment.ts';
import { createLogger, type Logger } from '../telemetry/logger.ts';

/** A terminal's Ctrl-C, and npm, can send the same signal twice within this. */
const REPEAT_MS = 2_000;
/** What does not end in its grace period is given up this much later; with a short grace period sooner. */
const FORCE_AFTER_GRACE_MS = 10_000;
const forceAfter = (graceMs: number) => graceMs + Math.min(FORCE_AFTER_GRACE_MS, graceMs + 1_000);

/** What a process gets to start with. */
export interface ProcessContext {
  env: Environment;
  log: Logger;
  /** Aborts when the process is told to stop; then what `closers` has is closed. */
  stopping: AbortSignal;
  closers: Closers;
}

/**
 * Runs a process from its start to its exit code. `start` brings it up and returns; SIGTERM or SIGINT then closes all
 * that it opened. What is not closed 10 s after the grace period is given up, with exit code 0 all the same.
 * What it throws before it is up is printed as one clear line.
 */
export async function runProcess(
  nameOf: () => string,
  start: (context: ProcessContext) => Promise<void>,
): Promise<void> {
  try {
    const env = readEnvironment(process.env);
    const log = createLogger(nameOf(), env.LOG_LEVEL);
    const stopping = new AbortController();
    const closers = new Closers();
    const signalled = waitForSignal();
    void signalled.then(() => stopping.abort());
    const started = start({ env, log, stopping: stopping.signal, closers });
    await Promise.race([started, signalled]);

    log.info({ signal: await signalled }, 'drains');
    const closed = closers.closeAll(log).then(() => true);
    const inTime = await Promise.race([closed, sleep(forceAfter(env.SHUTDOWN_GRACE_MS), false)]);
    if (inTime) log.info('stopped');
    else log.error('given up: not all of it ended in time');
    process.exit(0);
  } catch (err) {
    process.stderr.write(`${err instanceof Error ? err.message : String(err)}\n`);
    process.exit(1);
  }
}

/**
 * Resolves with the first SIGINT or SIGTERM. The same signal again within 2 s is an echo; after that it means "now",
 * and ends the process.
 */
function waitForSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    let firstAt: number | undefined;
    const receive = (signal: NodeJS.Signals) => {
      if (firstAt !== undefined && Date.now() - firstAt > REPEAT_MS) process.exit(1);
      firstAt ??= Date.now();
      resolve(signal);
    };
    process.on('SIGINT', receive);
    process.on('SIGTERM', receive);
  });
}

/** Things to close at the end, closed in the reverse order of their opening; one that fails does not stop the rest. */
export class Closers {
  readonly #stack: { what: string; close: () => Promise<unknown> | undefined }[] = [];

  add(what: string, close: () => Promise<unknown> | undefined): void {
    this.#stack.push({ what, close });
  }

  async closeAll(log: Logger): Promise<void> {
    for (const { what, close } of this.#stack.reverse()) {
      try {
        await close();
      } catch (err) {
        log.error({ what, err }, 'not closed cleanly');
      }
    }
  }
}
