import { setTimeout as sleep } from 'node:timers/promises';
import { PATIENCE_MS } from '../../test/support/patience.ts';

const LOOK_MS = 100;

/**
 * Waits until a count has grown to a number.
 * @throws Error when it stands still for longer than only what hangs does
 */
export async function untilCount(what: string, wanted: number, count: () => Promise<number>): Promise<void> {
  let last = { value: await count(), at: Date.now() };
  while (last.value < wanted) {
    await sleep(LOOK_MS);
    const value = await count();
    if (value !== last.value) last = { value, at: Date.now() };
    if (Date.now() - last.at > PATIENCE_MS) throw new Error(`${what}: ${value} of ${wanted}, and no more`);
  }
}
