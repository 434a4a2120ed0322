import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { startPasses } from '../../src/reconciler/passes.ts';
import { withDeadline } from '../../src/temporal/connection.ts';
import { recordLog } from '../support/log.ts';
import { createClientOfNobody } from '../support/temporal.ts';

describe('passes', () => {
  test('go on after one that failed, which is logged', async () => {
    const { log, lines } = recordLog();
    let passes = 0;
    const pass = () => {
      passes += 1;
      return passes === 1 ? Promise.reject(new Error('by the test')) : Promise.resolve();
    };
    const stop = startPasses({ what: 'test', intervalMs: 10, pass, log });
    await expect.poll(() => passes).toBeGreaterThan(2);
    await stop();
    expect(lines).toMatchObject([{ what: 'test', msg: 'pass failed' }]);
  });

  test('say in one line that Temporal takes no calls', async () => {
    const { log, lines } = recordLog();
    const client = await createClientOfNobody();
    const pass = () => withDeadline(client, () => client.workflow.getHandle('nobody').describe(), 200);
    const stop = startPasses({ what: 'test', intervalMs: 10, pass, log });
    await expect.poll(() => lines).not.toEqual([]);
    await stop();
    expect(lines[0]).toMatchObject({ what: 'test', msg: 'pass given up: Temporal takes no calls' });
    expect(lines[0]).not.toHaveProperty('err');
  });

  test('end with the one that is under way, which is told', async () => {
    const { log } = recordLog();
    let ended = false;
    const pass = async (signal: AbortSignal) => {
      while (!signal.aborted) await sleep(5);
      await sleep(50);
      ended = true;
    };
    const stop = startPasses({ what: 'test', intervalMs: 1, pass, log });
    await sleep(30);
    await stop();
    expect(ended).toBe(true);
  });

  test('are none with an interval of 0', async () => {
    const { log } = recordLog();
    let passes = 0;
    const stop = startPasses({ what: 'test', intervalMs: 0, pass: () => Promise.resolve((passes += 1)), log });
    await sleep(30);
    await stop();
    expect(passes).toBe(0);
  });
});
