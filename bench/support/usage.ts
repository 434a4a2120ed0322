import { readdir, readFile } from 'node:fs/promises';
import type { Running } from './processes.ts';

/** What processes have used so far, each with all that descends from it. */
export type Usage = Map<string, { cpuMs: number; residentMiB: number }>;

/** Of one tick in the figures of Linux, whatever the kernel's own clock. */
const TICK_MS = 10;

/**
 * CPU time since their start, user and system, also of children that have ended; and the memory in RAM, without what is
 * shared, which Postgres would count once for each of its processes.
 * @throws where there is no `/proc`
 */
export async function usageOf(processes: readonly Pick<Running, 'name' | 'pid'>[]): Promise<Usage> {
  const all = await readProcesses();
  const withChildren = (pid: number): number[] => [
    pid,
    ...[...all].flatMap(([child, { parent }]) => (parent === pid ? withChildren(child) : [])),
  ];
  const usage: Usage = new Map();
  for (const { name, pid } of processes) {
    const tree = withChildren(pid);
    const cpuMs = tree.reduce((sum, id) => sum + (all.get(id)?.cpuMs ?? 0), 0);
    const residents = await Promise.all(tree.map(residentMiB));
    usage.set(name, { cpuMs, residentMiB: residents.reduce((sum, mib) => sum + mib, 0) });
  }
  return usage;
}

/** Milliseconds of CPU that processes have used between two looks: all of them, or those that are named. */
export function cpuBetween(before: Usage, after: Usage, isMeant: (name: string) => boolean = () => true): number {
  return [...after].reduce(
    (sum, [name, { cpuMs }]) => (isMeant(name) ? sum + cpuMs - (before.get(name)?.cpuMs ?? 0) : sum),
    0,
  );
}

async function readProcesses(): Promise<Map<number, { parent: number; cpuMs: number }>> {
  const ids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const found = await Promise.all(
    ids.map(async (id) => {
      const text = await readFile(`/proc/${id}/stat`, 'utf8').catch(() => undefined);
      if (text === undefined) return []; // it has ended in between
      const fields = text.slice(text.lastIndexOf(')') + 2).split(' '); // from the third on: proc_pid_stat(5)
      const ticks = fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0);
      return [[Number(id), { parent: Number(fields[1]), cpuMs: ticks * TICK_MS }] as const];
    }),
  );
  return new Map(found.flat());
}

async function residentMiB(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  const kib = (field: string) => Number(new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1] ?? 0);
  return (kib('VmRSS') - kib('RssShmem')) / 1_024;
}
