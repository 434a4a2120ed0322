import { readFile } from 'node:fs/promises';
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

const KIB = 1_024;

/** The memory that a process has in RAM, in MiB. @throws when there is no such process */
export async function residentMiB(pid: number): Promise<number> {
  if (process.platform === 'linux') {
    const [, pages = ''] = (await readFile(`/proc/${pid}/status`, 'utf8')).match(/^VmRSS:\s+(\d+) kB$/m) ?? [];
    return Number(pages) / KIB;
  }
  const { stdout } = await promisify(execFile)('ps', ['-o', 'rss=', '-p', String(pid)]);
  return Number(stdout) / KIB;
}

/** What this process has on its heap once the garbage is collected, in MiB. */
export function heapMiB(): number {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
  return process.memoryUsage().heapUsed / KIB ** 2;
}
