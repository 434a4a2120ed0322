import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, inject, onTestFinished } from 'vitest';
import { usageOf } from '../../../bench/support/usage.ts';
import { freePort } from '../../../src/local/ports.ts';
import { waitUntilReady } from '../../../src/local/processes/readiness.ts';
import { prepareTemporal } from '../../../src/local/temporal/temporal.ts';
import { TASK_QUEUES } from '../../../workflows/contract.ts';
import type { TestDatabase } from '../../support/database.ts';
import { PATIENCE_MS } from '../../support/patience.ts';
import { startProcess, type TestProcess } from '../../support/processes.ts';

/** What delivers webhooks, as processes of their own, with a Temporal that forgets all when it is killed. */
export async function startParts(database: TestDatabase) {
  const port = await freePort();
  let temporal = await startTemporal(port);
  onTestFinished(() => temporal.kill());
  const settings = {
    DATABASE_URL: database.url,
    TEMPORAL_ADDRESS: `127.0.0.1:${port}`,
    TEMPORAL_NAMESPACE: 'default',
    WEBHOOK_ALLOW_HOSTS: '127.0.0.1',
  };
  const start = {
    relay: () => startProcess('relay', settings),
    workflows: () => startProcess('worker', settings, ['--task-queue', TASK_QUEUES.onboarding]),
    webhooks: () => startProcess('worker', settings, ['--task-queue', TASK_QUEUES.webhook]),
  };
  const ready = (part: TestProcess) => expect.poll(async () => (await part.readyz()).status).toBe(200);
  const parts = { relay: await start.relay(), workflows: await start.workflows(), webhooks: await start.webhooks() };
  for (const part of Object.values(parts)) await ready(part);

  const replace = async (name: keyof typeof parts) => {
    parts[name].kill('SIGKILL');
    await parts[name].exited;
    parts[name] = await start[name]();
  };
  return {
    killWebhookWorker: () => replace('webhooks'),
    killRelay: () => replace('relay'),
    /** Kills it, and starts another one, which knows nothing. */
    async loseTemporal() {
      await temporal.kill();
      temporal = await startTemporal(port);
    },
    /** Milliseconds of CPU that each part has used. */
    async cpuMs(): Promise<Map<string, number>> {
      const backends = await backendsOf(new URL(database.url).pathname.slice(1));
      const own = Object.entries(parts).map(([name, { pid }]) => ({ name, pid }));
      const usage = await usageOf([...own, { name: 'temporal', pid: temporal.pid }, ...backends]);
      const sums = new Map<string, number>();
      for (const [name, { cpuMs }] of usage) {
        const part = name.startsWith('postgres') ? 'postgres' : name;
        sums.set(part, (sums.get(part) ?? 0) + cpuMs);
      }
      return sums;
    },
  };
}

async function startTemporal(port: number) {
  const folder = await mkdtemp(join(tmpdir(), 'lead-onboarding-storm-'));
  const part = await prepareTemporal({ cli: inject('temporalCli'), port, dbFilename: join(folder, 'temporal.db') });
  const server = spawn(part.command, [...part.args], { env: part.env, stdio: 'ignore' });
  const exited = once(server, 'exit');
  await waitUntilReady(part.ready, AbortSignal.timeout(PATIENCE_MS));
  return {
    pid: server.pid ?? 0,
    async kill() {
      server.kill('SIGKILL');
      await exited;
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** The processes of PostgreSQL that serve a database: those of connections that have ended are not among them. */
async function backendsOf(database: string): Promise<{ name: string; pid: number }[]> {
  const found: { name: string; pid: number }[] = [];
  for (const entry of await readdir('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    const command = await readFile(`/proc/${entry}/cmdline`, 'utf8').catch(() => '');
    if (command.startsWith('postgres:') && command.includes(` ${database} `)) {
      found.push({ name: `postgres-${entry}`, pid: Number(entry) });
    }
  }
  return found;
}
