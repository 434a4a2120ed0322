import { spawn } from 'node:child_process';

export interface Guard {
  /** Call it once the guarded process is gone, so that its number may go to another one. */
  release(): void;
}

/**
 * Ends a child should this process vanish without a chance to do so (SIGKILL, out of memory): a shell waits at a pipe
 * that closes with us, and signals the child when it did.
 */
export function guard(pid: number, stopSignal: NodeJS.Signals): Guard {
  const script = 'read -r _ || kill -s "$2" "$1"';
  const shell = spawn('/bin/sh', ['-c', script, 'guard', String(pid), stopSignal.slice(3)], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  shell.on('error', () => undefined);
  shell.stdin.on('error', () => undefined);
  shell.unref();
  return { release: () => void shell.stdin.end('\n') };
}
