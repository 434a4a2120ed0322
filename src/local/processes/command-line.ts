import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import type { RunAs } from './part.ts';

/** What to hand to `spawn` so that a command runs as another user; only root can. */
export function commandAs(runAs: RunAs | undefined, command: string, args: string[]) {
  if (!runAs) return { command, args, options: {} };
  const { uid, gid, passAnyFolder } = runAs;
  if (!passAnyFolder) return { command, args, options: { uid, gid } };
  // A project below /root is closed to every other user: this one keeps the right to cross folders, and access(2) honours
  // that right only without the set-uid fixup.
  const rights = ['--securebits=+no_setuid_fixup', '--inh-caps=+dac_override', '--ambient-caps=+dac_override'];
  const user = [`--reuid=${uid}`, `--regid=${gid}`, '--clear-groups'];
  return { command: 'setpriv', args: [...user, ...rights, '--', command, ...args], options: {} };
}

/** The command line of a running process, its arguments joined by spaces; nothing when there is no such process. */
export async function commandLineOf(pid: number): Promise<string | undefined> {
  if (process.platform === 'linux') {
    const text = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
    return text === '' ? undefined : text.split('\0').join(' ').trim();
  }
  const listing = await promisify(execFile)('ps', ['-p', String(pid), '-o', 'command=']).catch(() => undefined);
  return listing?.stdout.trim();
}
