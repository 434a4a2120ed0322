import { rm, stat, utimes, writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';

const HEARTBEAT_MS = 2_000;
const STALE_AFTER_MS = 15_000;
const POLL_MS = 250;

export interface LockOptions {
  /** Called once when another process holds the lock. */
  onWait: () => void;
  signal: AbortSignal | undefined;
}

/** Does one thing at a time among processes. A holder touches the lock file; one that died leaves it to the next. */
export async function withLock<Result>(
  file: string,
  options: LockOptions,
  action: () => Promise<Result>,
): Promise<Result> {
  for (let tries = 0; !(await take(file)); tries += 1) {
    if (tries === 0) options.onWait();
    const touched = await stat(file).catch(() => undefined);
    if (touched && Date.now() - touched.mtimeMs > STALE_AFTER_MS) await rm(file, { force: true });
    else await sleep(POLL_MS, undefined, options.signal ? { signal: options.signal } : {});
  }
  const heartbeat = setInterval(() => {
    const now = new Date();
    utimes(file, now, now).catch(() => undefined);
  }, HEARTBEAT_MS);
  try {
    return await action();
  } finally {
    clearInterval(heartbeat);
    await rm(file, { force: true });
  }
}

async function take(file: string): Promise<boolean> {
  try {
    await writeFile(file, '', { flag: 'wx' });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}
