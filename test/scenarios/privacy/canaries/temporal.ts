import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { inject, onTestFinished } from 'vitest';
import { freePort } from '../../../../src/local/ports.ts';
import { waitUntilReady } from '../../../../src/local/processes/readiness.ts';
import { prepareTemporal } from '../../../../src/local/temporal/temporal.ts';
import { PATIENCE_MS } from '../../../support/patience.ts';
import { textOf } from '../../../support/temporal.ts';

/** A Temporal server of the test's own, whose files and output it can read. It ends with the test. */
export async function startOwnTemporal() {
  const folder = await mkdtemp(join(tmpdir(), 'lead-canaries-'));
  const port = await freePort();
  const part = await prepareTemporal({ cli: inject('temporalCli'), port, dbFilename: join(folder, 'temporal.db') });
  const server = spawn(part.command, withDebugLog(part.args), { env: part.env, stdio: ['ignore', 'pipe', 'pipe'] });
  const output: string[] = [];
  for (const stream of [server.stdout, server.stderr])
    stream.on('data', (chunk: Buffer) => output.push(chunk.toString()));
  const exited = once(server, 'exit');
  const stop = async () => {
    server.kill('SIGTERM');
    await exited;
  };
  await waitUntilReady(part.ready, AbortSignal.timeout(PATIENCE_MS));
  const client = new Client({ connection: Connection.lazy({ address: `127.0.0.1:${port}` }) });
  onTestFinished(async () => {
    await client.connection.close();
    await stop();
    await rm(folder, { recursive: true, force: true });
  });
  return {
    port,
    client,
    stop,
    log: () => output.join(''),
    /** The bytes of the database file and of what is not yet merged into it, as Latin-1. */
    async files() {
      const texts = (await readdir(folder)).map((file) => readFile(join(folder, file), 'latin1'));
      return (await Promise.all(texts)).join('\n');
    },
    /** Every event of every run, with payloads decoded, by workflow id. */
    async histories() {
      const texts: string[] = [];
      for await (const { workflowId, runId } of client.workflow.list()) {
        const { events } = await client.workflow.getHandle(workflowId, runId).fetchHistory();
        texts.push(`${workflowId}\n${textOf(events)}`);
      }
      return texts.join('\n');
    },
    /** The ids of the runs that go on, but for Temporal's own. */
    async running() {
      const ids: string[] = [];
      for await (const { workflowId } of client.workflow.list({ query: "ExecutionStatus='Running'" }))
        if (!workflowId.startsWith('temporal-sys-')) ids.push(workflowId);
      return ids;
    },
    /** What lists and Web UI show of runs and Schedules: search attributes, memos, summaries, pending failures. */
    async visibility() {
      const texts: string[] = [];
      for await (const run of client.workflow.list()) {
        const described = await client.workflow.getHandle(run.workflowId, run.runId).describe();
        texts.push(textOf(run.raw), textOf(described.raw));
      }
      for await (const { scheduleId } of client.schedule.list()) {
        texts.push(textOf((await client.schedule.getHandle(scheduleId).describe()).raw));
      }
      return texts.join('\n');
    },
  };
}

/** It says more than it does anywhere else. */
const withDebugLog = (args: readonly string[]) => args.map((arg) => (arg === 'warn' ? 'debug' : arg));

export type OwnTemporal = Awaited<ReturnType<typeof startOwnTemporal>>;
