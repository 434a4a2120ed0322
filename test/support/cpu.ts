/** Runs that are measured: what else the process does at the moment is in some of them only. */
const RUNS = 5;
/** A control of about 10 ms on a machine that does nothing else: a busy one, or a slower one, takes longer for both. */
const CONTROL = 'a'.repeat(2 * 1024 * 1024);
const CONTROL_MS = 10;

/**
 * What work costs at least, in milliseconds of CPU of a quiet machine: it is measured beside a control, since what
 * others do on the machine costs even CPU time.
 */
export async function cpuMs(work: () => unknown): Promise<number> {
  let least = Infinity;
  for (let run = 0; run < RUNS; run += 1) {
    const slowness = await slownessNow();
    least = Math.min(least, (await cpuOf(work)) / slowness);
  }
  return least;
}

/** How many times longer than on a quiet machine work takes at the moment, by a control; 1 at least. */
const slownessNow = async (): Promise<number> => Math.max(1, (await cpuOf(() => checksum(CONTROL))) / CONTROL_MS);

async function cpuOf(work: () => unknown): Promise<number> {
  const before = process.cpuUsage();
  await work();
  return millisecondsSince(before);
}

function checksum(text: string): number {
  let sum = 0;
  for (let at = 0; at < text.length; at += 1) sum = (Math.imul(sum, 31) + text.charCodeAt(at)) | 0;
  return sum;
}

/** Watches for how long this process works without a pause in which something else could have its turn. */
export function watchTurns() {
  let last = process.cpuUsage();
  let longestMs = 0;
  const timer = setInterval(() => {
    longestMs = Math.max(longestMs, millisecondsSince(last));
    last = process.cpuUsage();
  }, 1);
  return {
    /** @returns the longest turn, in milliseconds of CPU of a quiet machine */
    async stop(): Promise<number> {
      clearInterval(timer);
      return longestMs / (await slownessNow());
    },
  };
}

function millisecondsSince(before: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1_000;
}
