import { expect, it, onTestFinished } from 'vitest';
import { runProgram, says } from '../../bench/support/processes.ts';
import { cpuBetween, usageOf } from '../../bench/support/usage.ts';

const BURN = `const until = process.cpuUsage().user + 300_000; while (process.cpuUsage().user < until);`;
/** Lets a child work for 300 ms of CPU and end, and another one stay with 64 MiB. */
const PARENT = `
  const { spawn, spawnSync } = require('node:child_process');
  spawnSync(process.execPath, ['--eval', ${JSON.stringify(BURN)}]);
  const keeps = "globalThis.kept = Buffer.alloc(64 * 1024 ** 2, 1); console.log('keeps'); setInterval(() => 0, 1e6)";
  spawn(process.execPath, ['--eval', keeps], { stdio: ['ignore', 'inherit', 'inherit'] });`;

it.runIf(process.platform === 'linux')('a process has used what its children used, those that ended too', async () => {
  const program = { name: 'parent', command: process.execPath, args: ['--eval', PARENT], env: process.env };
  const running = await runProgram(program, says('keeps'));
  onTestFinished(() => running.kill());
  const usage = await usageOf([running]);
  expect(cpuBetween(new Map(), usage)).toBeGreaterThanOrEqual(300);
  expect(usage.get('parent')?.residentMiB).toBeGreaterThan(64);
  expect(cpuBetween(usage, usage, (name) => name === 'parent')).toBe(0);
});

it('a program that ends before it is ready is an error with its last lines', async () => {
  const args = ['--eval', `console.log('no disk'); process.exit(3)`];
  const started = runProgram({ name: 'short', command: process.execPath, args, env: process.env }, says('ready'));
  await expect(started).rejects.toThrow(/short ended before it was ready \(exit code 3\):\nno disk/);
});
