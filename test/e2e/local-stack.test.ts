import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { getPriority } from 'node:os';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EXAMPLE_LEAD } from '../../src/leads/example-lead.ts';
import {
  type LocalStack,
  postLead,
  startLocalStack,
  type TimelineEntry,
  timelineUntil,
} from '../support/local-stack.ts';

const PARTS = [
  'worker:lead',
  'worker:notification',
  'worker:lead-onboarding',
  'relay',
  'board',
  'api',
  'temporal',
  'postgres',
];
const ONBOARDED = [
  'lead.created',
  'onboarding.started',
  'notification.created',
  'enrichment.started',
  'enrichment.completed',
  'score.calculated',
  'onboarding.completed',
];

let stack: LocalStack;

beforeAll(async () => {
  // As from the shell of somebody whose own databases are hosted, behind a proxy.
  stack = await startLocalStack({ http_proxy: 'http://127.0.0.1:9', no_proxy: '', PGSSLMODE: 'require' });
});

afterAll(async () => {
  await stack.stop();
  await stack.remove();
});

const typesOf = (timeline: TimelineEntry[]) => timeline.map(({ type }) => type);

describe('the local stack, with the real delay of 10 s', () => {
  it('comes up without an error or a warning in its log', () => {
    expect(stack.output()).toContain('worker polls');
    expect(stack.output()).not.toMatch(/"level":[456]0/);
  });

  it.skipIf(process.platform === 'win32')('lets callers go first: all gives way but API and Postgres', async () => {
    const niceness = await Promise.all(PARTS.map(async (part) => [part, getPriority(await stack.pidOf(part))]));
    const yields = (part: string) => part !== 'api' && part !== 'postgres';
    expect(niceness).toEqual(PARTS.map((part) => [part, yields(part) ? 10 : 0]));
    const group = `/proc/${await stack.pidOf('temporal')}/autogroup`;
    if (existsSync(group)) expect(readFileSync(group, 'utf8')).toMatch(/nice 10$/m);
  });

  it("holds the seed's timeline for the lead of its curl", async () => {
    const request = ['-X', 'POST', '-H', 'Content-Type: application/json', '-d', JSON.stringify(EXAMPLE_LEAD)];
    const curl = ['-sS', `${stack.url}/api/leads`, ...request, '-w', '\n%{http_code}'];
    const [body = '', status] = execFileSync('curl', curl, { encoding: 'utf8' }).trim().split('\n');
    expect(status).toBe('201');
    const { id } = JSON.parse(body) as { id: string };

    const timeline = await timelineUntil(stack.url, id, 'onboarding.completed');
    console.log(timeline.map(({ type, elapsedMs }) => `${type} ${elapsedMs} ms`).join('\n'));
    expect(typesOf(timeline)).toEqual(ONBOARDED);
    const enrichment = timeline.find(({ type }) => type === 'enrichment.started');
    expect(enrichment?.elapsedMs).toBeGreaterThanOrEqual(10_000);
  });

  it('onboards each lead once although a process of each kind crashes in its sleep', async () => {
    const ids: string[] = [];
    for (const part of PARTS) {
      const id = await postLead(stack.url, `${part.replace(':', '-')}-crashes@example.com`);
      await timelineUntil(stack.url, id, 'notification.created');
      await stack.crash(part);
      ids.push(id);
    }
    for (const id of ids) {
      const types = typesOf(await timelineUntil(stack.url, id, 'onboarding.completed'));
      // The one whose worker was killed may come as late as it likes.
      expect([...types].sort()).toEqual([...ONBOARDED].sort());
      const others = (type: string) => type !== 'notification.created';
      expect(types.filter(others)).toEqual(ONBOARDED.filter(others));
    }
  });

  it('stops everything on Ctrl-C, and ends with exit code 0', async () => {
    const pids = await Promise.all(PARTS.map((part) => stack.pidOf(part)));
    expect(await stack.stop()).toBe(0);
    for (const pid of pids) expect(() => process.kill(pid, 0)).toThrow('ESRCH');
  });
});
