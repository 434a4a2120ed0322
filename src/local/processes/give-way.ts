import { writeFileSync } from 'node:fs';
import { setPriority } from 'node:os';

/** As `nice` has it: about a tenth of the processor beside one that does not give way. */
const NICENESS = 10;

/**
 * Lets a process that was just started, in a session of its own, give way to others. Linux weighs sessions first, and
 * by another number (https://man7.org/linux/man-pages/man7/sched.7.html, the autogroup feature). Where a system has
 * none of it, nothing gives way.
 */
export function giveWay(pid: number): void {
  try {
    setPriority(pid, NICENESS);
    writeFileSync(`/proc/${pid}/autogroup`, String(NICENESS));
  } catch {
    // not on this system, or it has ended
  }
}
