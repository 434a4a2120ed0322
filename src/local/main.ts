import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { EnvironmentError, readEnvironment } from '../process/environment.ts';
import { StartError } from './start-error.ts';
import { bringUp, type Stack } from './stack.ts';

const REPEAT_MS = 2_000;

/** The whole of `npm start`, from settings to exit code: brings the stack up, waits for a signal, stops it. */
export async function main(): Promise<void> {
  // A terminal that is gone must not keep us from stopping what we started.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);
  const stopping = new AbortController();
  let stack: Stack | undefined;
  let firstSignalAt: number | undefined;
  const onSignal = () => {
    // npm passes a terminal's Ctrl-C on a second time. Later ones are from somebody who does not want to wait.
    if (firstSignalAt !== undefined && performance.now() - firstSignalAt > REPEAT_MS) stack?.kill();
    firstSignalAt ??= performance.now();
    stopping.abort();
    // Whatever is being waited for at this moment ends with it.
    void stack?.stop();
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, onSignal);

  try {
    if (existsSync('.env')) process.loadEnvFile();
    const environment = readEnvironment(process.env);
    await bringUp(environment, stopping.signal, (started) => (stack = started));
    if (!stopping.signal.aborted) await once(stopping.signal, 'abort');
  } catch (error) {
    if (!stopping.signal.aborted) {
      process.exitCode = 1;
      const known = error instanceof StartError || error instanceof EnvironmentError;
      console.error(known ? error.message : error);
    }
  }
  await stack?.stop();
  process.exit();
}
