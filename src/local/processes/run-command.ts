import { execFile } from 'node:child_process';

export interface CommandResult {
  ok: boolean;
  stdout: string;
  stderr: string;
  /** Why it failed, in words; empty when it did not. */
  reason: string;
}

export interface CommandOptions {
  cwd?: string;
  env?: NodeJS.ProcessEnv;
  timeoutMs?: number;
  signal?: AbortSignal;
  uid?: number;
  gid?: number;
}

/** Runs one command to its end. Never rejects: a failure is a result. */
export function runCommand(command: string, args: string[], options: CommandOptions = {}): Promise<CommandResult> {
  const { timeoutMs, ...rest } = options;
  const settings = { ...rest, maxBuffer: 64 * 1024 * 1024, ...(timeoutMs ? { timeout: timeoutMs } : {}) };
  return new Promise((resolve) => {
    execFile(command, args, settings, (error, stdout, stderr) => {
      resolve({ ok: error === null, stdout, stderr, reason: error === null ? '' : reasonOf(error) });
    });
  });
}

function reasonOf(error: { code?: string | number | null; killed?: boolean; signal?: string | null; message: string }) {
  if (error.killed) return 'no answer in time';
  if (typeof error.code === 'number') return `exit code ${error.code}`;
  return error.code ?? error.signal ?? error.message;
}
