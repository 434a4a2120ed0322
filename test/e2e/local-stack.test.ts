import { execFile, execFileSync } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SEED_LEAD } from '../support/onboarding.ts';
import { type LocalStack, startLocalStack, type TimelineEntry, timelineUntil } from '../support/local-stack.ts';

let stack: LocalStack;

beforeAll(async () => {
  stack = await startLocalStack();
}, 120_000);

afterAll(async () => {
  await stack.stop();
  await stack.remove();
}, 60_000);

async function post(email: string) {
  const startedAt = performance.now();
  const answer = await fetch(`${stack.url}/api/leads`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ ...SEED_LEAD, email }),
  });
  const { id } = (await answer.json()) as { id: string };
  return { id, status: answer.status, durationMs: performance.now() - startedAt };
}

const elapsed = (timeline: TimelineEntry[], type: string) => {
  const entry = timeline.find((item) => item.type === type);
  if (!entry) throw new Error(`no ${type}`);
  return entry.elapsedMs;
};

const count = (timeline: TimelineEntry[], type: string) => timeline.filter((entry) => entry.type === type).length;

/** Figures are printed, and asserted with room for a busy machine. */
describe('the local stack, with the real delay of 10 s', () => {
  it('comes up without an error or a warning in its log', () => {
    expect(stack.output()).toContain('worker polls');
    expect(stack.output()).not.toMatch(/"level":[456]0/);
  });

  it("holds the seed's timeline for the lead of its curl", async () => {
    const curl = execFileSync(
      'curl',
      [
        '-sS',
        '-X',
        'POST',
        `${stack.url}/api/leads`,
        '-H',
        'Content-Type: application/json',
        '-d',
        JSON.stringify(SEED_LEAD),
        '-w',
        '\n%{http_code}',
      ],
      { encoding: 'utf8' },
    );
    const [body = '', status] = curl.trim().split('\n');
    expect(status).toBe('201');
    const { id } = JSON.parse(body) as { id: string };

    const timeline = await timelineUntil(stack.url, id, 'onboarding.completed');
    console.log(timeline.map(({ type, elapsedMs }) => `${type} ${elapsedMs} ms`).join('\n'));
    expect(timeline.map(({ type }) => type)).toEqual([
      'lead.created',
      'onboarding.started',
      'notification.created',
      'enrichment.started',
      'enrichment.completed',
      'score.calculated',
      'onboarding.completed',
    ]);
    expect(elapsed(timeline, 'notification.created')).toBeLessThan(3_000);
    expect(elapsed(timeline, 'enrichment.started')).toBeGreaterThanOrEqual(10_000);
    expect(elapsed(timeline, 'enrichment.started')).toBeLessThan(13_000);
    expect(elapsed(timeline, 'score.calculated')).toBeLessThan(14_000);
  });

  it('is what the example of the client talks to', async () => {
    const { stdout } = await promisify(execFile)('npm', ['run', '-s', 'example'], {
      env: { ...process.env, API_URL: stack.url },
    });
    expect(stdout).toMatch(/^lead [\da-f-]{36}\n +\d+ ms {2}lead\.created\n/);
    expect(stdout).toMatch(/score\.calculated\n.*onboarding\.completed\nscore \d+, (HOT|WARM|COLD)\n$/s);
  });

  it('scores a lead although the lead worker is killed during the sleep, with one notification', async () => {
    const { id } = await post('killed-in-sleep@example.com');
    await timelineUntil(stack.url, id, 'notification.created');
    process.kill(await stack.pidOf('worker:lead'), 'SIGKILL');
    const timeline = await timelineUntil(stack.url, id, 'onboarding.completed');
    expect(count(timeline, 'notification.created')).toBe(1);
    expect(count(timeline, 'score.calculated')).toBe(1);
  });

  it('scores a lead although the lead worker is killed with its enrichment in hand', async () => {
    const { id } = await post('killed-in-enrichment@example.com');
    await timelineUntil(stack.url, id, 'notification.created');
    const worker = await stack.pidOf('worker:lead');
    await sleep(8_000);
    process.kill(worker, 'SIGSTOP'); // Temporal gives it the enrichment, which it cannot run any more
    await sleep(4_000);
    process.kill(worker, 'SIGKILL');
    const timeline = await timelineUntil(stack.url, id, 'onboarding.completed');
    expect(count(timeline, 'notification.created')).toBe(1);
    expect(count(timeline, 'score.calculated')).toBe(1);
  }, 90_000);

  it('takes leads in while Temporal is frozen for 20 s, and onboards them afterwards', async () => {
    const temporal = await stack.pidOf('temporal');
    process.kill(temporal, 'SIGSTOP');
    try {
      await sleep(5_000);
      const { id, status, durationMs } = await post('temporal-frozen@example.com');
      console.log(`POST without Temporal: ${Math.round(durationMs)} ms`);
      expect(status).toBe(201);
      expect(durationMs).toBeLessThan(1_000);
      await sleep(15_000);
      process.kill(temporal, 'SIGCONT');
      const timeline = await timelineUntil(stack.url, id, 'onboarding.completed', 60_000);
      expect(count(timeline, 'notification.created')).toBe(1);
    } finally {
      process.kill(temporal, 'SIGCONT');
    }
  }, 120_000);

  it('stops everything on Ctrl-C, and ends with exit code 0', async () => {
    const parts = [
      'postgres',
      'temporal',
      'worker:lead',
      'worker:notification',
      'worker:lead-onboarding',
      'relay',
      'api',
    ];
    const pids = await Promise.all(parts.map((part) => stack.pidOf(part)));
    expect(await stack.stop()).toBe(0);
    for (const pid of pids) expect(() => process.kill(pid, 0)).toThrow('ESRCH');
  }, 60_000);
});
