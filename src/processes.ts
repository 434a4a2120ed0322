import type { Logger } from './logger.ts';

/** A terminal's Ctrl-C, and npm, can send the same signal twice within this. */
const REPEAT_MS = 2_000;

/**
 * Resolves with the first SIGINT or SIGTERM. The same signal again within 2 s is an echo; after that it means "now",
 * and ends the process.
 */
export function waitForSignal(): Promise<NodeJS.Signals> {
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

/** Runs a process from start to exit code; what it throws before it is up is printed as one clear line. */
export async function runProcess(main: () => Promise<void>): Promise<void> {
  try {
    await main();
    process.exit(0);
  } catch (err) {
    process.stderr.write(`${err instanceof Error ? err.message : String(err)}\n`);
    process.exit(1);
  }
}
