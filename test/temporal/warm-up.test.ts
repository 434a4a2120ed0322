import { expect, inject, test } from 'vitest';
import { warmUpWorkflows } from '../../src/temporal/warm-up.ts';
import { cpuMs } from '../support/cpu.ts';

const AWAITS = 20_000;

/** What an `await` costs in this process, in milliseconds of CPU for many of them. */
const awaiting = () =>
  cpuMs(async () => {
    for (let n = 0; n < AWAITS; n += 1) await Promise.resolve();
  });

test('a worker that has warmed up takes no longer for each promise than before', async () => {
  const before = await awaiting();
  await warmUpWorkflows({ codePath: inject('workflowBundle') });
  // With the SDK's records of stacks it is about fifty times as much.
  expect(await awaiting()).toBeLessThan(10 * before + 5);
});
