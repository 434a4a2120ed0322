import { execFile } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type LocalStack,
  postLead,
  startLocalStack,
  type TimelineEntry,
  timelineUntil,
} from '../../support/local-stack.ts';

let stack: LocalStack;

beforeAll(async () => {
  stack = await startLocalStack();
});

afterAll(async () => {
  await stack.stop();
  await stack.remove();
});

const count = (timeline: TimelineEntry[], type: string) => timeline.filter((entry) => entry.type === type).length;

describe('the local stack, with the real delay of 10 s', () => {
  it('is what the example of the client talks to', async () => {
    const { stdout } = await promisify(execFile)('npm', ['run', '-s', 'example'], {
      env: { ...process.env, API_URL: stack.url },
    });
    expect(stdout).toMatch(/^lead [\da-f-]{36}\n +\d+ ms {2}lead\.created\n/);
    expect(stdout).toMatch(/score\.calculated\n.*onboarding\.completed\nscore \d+, (HOT|WARM|COLD)\n$/s);
  });

  it('scores a lead although the lead worker is killed with its enrichment in hand', async () => {
    const id = await postLead(stack.url, 'killed-in-enrichment@example.com');
    await timelineUntil(stack.url, id, 'notification.created');
    const worker = await stack.pidOf('worker:lead');
    await sleep(8_000);
    process.kill(worker, 'SIGSTOP'); // Temporal gives it the enrichment, which it cannot run any more
    await sleep(4_000);
    process.kill(worker, 'SIGKILL');
    const timeline = await timelineUntil(stack.url, id, 'onboarding.completed');
    expect(count(timeline, 'notification.created')).toBe(1);
    expect(count(timeline, 'score.calculated')).toBe(1);
  });

  it('takes leads in while Temporal is frozen for 20 s, and onboards them afterwards', async () => {
    const temporal = await stack.pidOf('temporal');
    process.kill(temporal, 'SIGSTOP');
    try {
      await sleep(5_000);
      const startedAt = performance.now();
      const id = await postLead(stack.url, 'temporal-frozen@example.com');
      console.log(`POST without Temporal: ${Math.round(performance.now() - startedAt)} ms`);
      await sleep(15_000);
      process.kill(temporal, 'SIGCONT');
      const timeline = await timelineUntil(stack.url, id, 'onboarding.completed');
      expect(count(timeline, 'notification.created')).toBe(1);
    } finally {
      process.kill(temporal, 'SIGCONT');
    }
  });
});
