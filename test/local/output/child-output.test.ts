import { PassThrough } from 'node:stream';
import { expect, it } from 'vitest';
import { createChildOutput, type Phase } from '../../../src/local/output/child-output.ts';
import type { OutputFormat, Part } from '../../../src/local/processes/part.ts';

const part = (name: string, output: OutputFormat): Part => ({
  name,
  output,
  command: 'true',
  args: [],
  env: {},
  ready: { kind: 'http', url: 'http://127.0.0.1:1' },
  stopSignal: 'SIGTERM',
  stopWithinMs: 1,
});

function write(pretty: boolean, phase: Phase, from: Part, ...lines: string[]): string[] {
  const stdout = new PassThrough();
  const output = createChildOutput({ stdout, pretty, color: false });
  output.setPhase(phase);
  for (const line of lines) output.write(from, line);
  const text = (stdout.read() as Buffer | null)?.toString() ?? '';
  return text.split('\n').filter(Boolean);
}

const info = '{"level":30,"time":1700000000000,"pid":7,"hostname":"h","name":"relay","msg":"tick","leadId":"abc"}';

it('is JSON with the name of the part where no person looks', () => {
  expect(write(false, 'starting', part('relay', 'pino'), info).map((line) => JSON.parse(line) as unknown)).toEqual([
    { level: 30, time: 1700000000000, pid: 7, hostname: 'h', name: 'relay', msg: 'tick', leadId: 'abc', part: 'relay' },
  ]);
});

it('is one readable line with the name of the part in a terminal', () => {
  const [line] = write(true, 'running', part('relay', 'pino'), info);
  expect(line).toMatch(/^relay {18}\[\d\d:\d\d:\d\d\.\d{3}\] INFO: tick \{"leadId":"abc"\}$/);
});

it('keeps everyday lines from the progress of a start, and shows what a crash leaves', () => {
  const lines = write(true, 'starting', part('api', 'pino'), info, 'Error: no such file');
  expect(lines).toHaveLength(1);
  expect(lines[0]).toContain('WARN: Error: no such file');
});

it('shows of a server only what is wrong, while it should run', () => {
  const postgres = [
    '2026-11-23 22:31:02.750 UTC [13146] LOG:  starting',
    '2026-11-23 22:31:02.750 UTC [1] PANIC:  disk is full',
  ];
  const temporal = [
    '{"level":"INFO","msg":"hello"}',
    '{"level":"ERROR","msg":"disk","error":"full"}',
    'Server: localhost:7233',
  ];
  expect(write(true, 'running', part('postgres', 'postgres'), ...postgres)).toEqual([
    expect.stringMatching(/FATAL: disk is full/),
  ]);
  expect(write(true, 'running', part('temporal', 'temporal'), ...temporal)).toEqual([
    expect.stringMatching(/ERROR: disk: full/),
  ]);
  expect(write(true, 'stopping', part('temporal', 'temporal'), ...temporal)).toEqual([]);
});
