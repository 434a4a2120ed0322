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
    const control = await cpuOf(() => checksum(CONTROL));
    const cost = await cpuOf(work);
    least = Math.min(least, (cost / Math.max(control, CONTROL_MS)) * CONTROL_MS);
  }
  return least;
}

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
    /** @returns the longest turn, in milliseconds of CPU */
    stop(): number {
      clearInterval(timer);
      return longestMs;
    },
  };
}

function millisecondsSince(before: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1_000;
}
