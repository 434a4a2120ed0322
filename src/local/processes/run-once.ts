import { launch } from './launch.ts';
import type { Part } from './part.ts';
import { waitUntilReady } from './readiness.ts';

/**
 * Runs a part without a supervisor, for tests: it is not started again when it dies.
 * @returns once it is ready
 * @throws Error with its last lines when it dies before
 */
export async function runOnce(part: Part): Promise<{ stop: () => Promise<void> }> {
  const launched = launch(part);
  const waiting = new AbortController();
  const died = launched.exited.then((reason) => {
    const lines = launched.lastLines.join('\n');
    throw new Error(`${part.name} ended before it was ready (${reason}):\n${lines}`);
  });
  died.catch(() => undefined);
  try {
    await Promise.race([waitUntilReady(part.ready, waiting.signal), died]);
  } finally {
    waiting.abort();
  }
  return {
    async stop() {
      await launched.stop();
    },
  };
}
