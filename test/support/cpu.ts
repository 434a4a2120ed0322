/** Runs that are measured: what else the process does at the moment is in some of them only. */
const RUNS = 5;

/**
 * What work costs this process at least, in milliseconds of CPU: on a busy machine it takes longer, and costs the same.
 */
export async function cpuMs(work: () => unknown): Promise<number> {
  let least = Infinity;
  for (let run = 0; run < RUNS; run += 1) {
    const before = process.cpuUsage();
    await work();
    least = Math.min(least, millisecondsSince(before));
  }
  return least;
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
