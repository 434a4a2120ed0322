import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { build } from '../test/support/build.ts';
import { withServer } from './postgres.ts';
import { startOurs } from './sides/ours.ts';
import { withSide } from './sides/side.ts';
import { postSteadily } from './support/load.ts';
import type { Running } from './support/processes.ts';
import { describeMachine, report, type Row } from './support/report.ts';
import { size } from './support/sizes.ts';
import { median, slope } from './support/statistics.ts';
import { usageOf } from './support/usage.ts';

/** The memory of each process while leads come in steadily. */
const MINUTES = size('BENCH_MINUTES', 30);
const RATE = size('BENCH_RATE', 2);
const SAMPLE_SECONDS = size('BENCH_SAMPLE_SECONDS', 10);
const MIB = 1_024 ** 2;
/** Caches and pools fill before. */
const WARM_UP_SHARE = 1 / 6;

interface Sample {
  hours: number;
  /** MiB by the name of the process. */
  resident: Record<string, number>;
  /** MiB of the JavaScript heaps of all its threads; none for Postgres and Temporal. */
  heap: Record<string, number>;
}

/** @returns MiB in use on the heaps of a process, garbage included; undefined when it tells none */
async function heapOf({ pid }: Running, folder: string): Promise<number | undefined> {
  const files = (await readdir(folder)).filter((name) => name.startsWith(`${pid}-`));
  const bytes = await Promise.all(files.map(async (name) => Number(await readFile(join(folder, name), 'utf8'))));
  return bytes.length === 0 ? undefined : bytes.reduce((sum, heap) => sum + heap, 0) / MIB;
}

async function sample(processes: Running[], folder: string, startedAt: number): Promise<Sample> {
  const hours = (performance.now() - startedAt) / 3_600_000;
  const resident = [...(await usageOf(processes))].map(([name, { residentMiB }]) => [name, residentMiB] as const);
  const heaps = await Promise.all(
    processes.map(async (running) => {
      const heap = await heapOf(running, folder);
      return heap === undefined ? [] : [[running.name, heap] as const];
    }),
  );
  return { hours, resident: Object.fromEntries(resident), heap: Object.fromEntries(heaps.flat()) };
}

/** At the start and at the end, a sixth of the time each, and how much it grew in an hour in between. */
function trend(samples: Sample[], kind: 'resident' | 'heap', name: string): Row {
  const points = samples.flatMap(({ hours, [kind]: { [name]: y } }) => (y === undefined ? [] : [{ x: hours, y }]));
  const share = Math.max(1, Math.round(points.length * WARM_UP_SHARE));
  const mib = (part: typeof points) => (part.length === 0 ? '–' : Math.round(median(part.map(({ y }) => y))));
  const grows = slope(points.slice(share));
  return {
    [`${kind} first`]: mib(points.slice(0, share)),
    [`${kind} last`]: mib(points.slice(-share)),
    [`${kind} MiB/h`]: points.length === 0 ? '–' : grows.toFixed(1),
  };
}

build();
const folder = await mkdtemp(join(tmpdir(), 'lead-onboarding-heaps-'));
try {
  await withServer(async (server) => {
    const machine = await describeMachine(server.url);
    const heapLog = new URL('support/heap-log.mjs', import.meta.url).href;
    const settings = { NODE_OPTIONS: `--import ${heapLog}`, BENCH_HEAP_FOLDER: folder };
    const { samples, notTakenIn, names } = await withSide(
      { name: 'ours', start: () => startOurs({ server, settings }) },
      async (ours) => {
        const processes = [...ours.processes, server.process];
        const done = new AbortController();
        const taken: Sample[] = [];
        const startedAt = performance.now();
        const sampling = (async () => {
          while (!done.signal.aborted) {
            taken.push(await sample(processes, folder, startedAt));
            await sleep(SAMPLE_SECONDS * 1_000, undefined, { signal: done.signal }).catch(() => undefined);
          }
        })();
        const answers = await postSteadily(ours, RATE, MINUTES * 60);
        done.abort();
        await sampling;
        const missing = answers.filter((answer) => answer === undefined).length;
        return { samples: taken, notTakenIn: missing, names: processes.map(({ name }) => name) };
      },
    );
    const rows = names.map((process) => ({
      process,
      ...trend(samples, 'resident', process),
      ...trend(samples, 'heap', process),
    }));
    await report({
      name: 'soak',
      machine,
      sizes: { minutes: MINUTES, 'leads/s': RATE, 'not taken in': notTakenIn },
      tables: { 'Memory in MiB': rows },
      measurements: samples,
    });
  });
} finally {
  await rm(folder, { recursive: true, force: true });
}
