import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { commandLineOf } from '../../../src/local/processes/command-line.ts';
import { launch } from '../../../src/local/processes/launch.ts';
import { openRunFile } from '../../../src/local/processes/run-file.ts';
import { isAlive, makeServerPart, makeTempDir } from '../support/parts.ts';

const never = new AbortController().signal;

async function launchPart(folder: string) {
  const part = await makeServerPart(folder, 'worker');
  const launched = launch(part);
  onTestFinished(() => launched.kill());
  return { part, pid: launched.pid ?? 0 };
}

it('stops what an earlier start left running, and says so', async () => {
  const folder = await makeTempDir();
  const { part, pid } = await launchPart(folder);
  const tail = part.args.join(' ');
  const earlier = {
    supervisor: { name: 'npm start', pid: 2 ** 22 + 1, tail: 'gone', stopSignal: 'SIGTERM' },
    parts: [
      { name: 'worker', pid, tail, stopSignal: 'SIGTERM' },
      { name: 'another program by now', pid: process.pid, tail: 'postgres -D data', stopSignal: 'SIGINT' },
    ],
  };
  await writeFile(join(folder, 'run.json'), JSON.stringify(earlier));
  const leftovers: string[] = [];
  await openRunFile(join(folder, 'run.json'), (name, number) => leftovers.push(`${name} ${number}`), never);
  expect(leftovers).toEqual([`worker ${pid}`]);
  await expect.poll(() => isAlive(pid)).toBe(false);
});

it('refuses a folder that another start uses', async () => {
  const folder = await makeTempDir();
  const { pid } = await launchPart(folder);
  const tail = await commandLineOf(pid);
  const supervisor = { name: 'npm start', pid, tail, stopSignal: 'SIGTERM' };
  await writeFile(join(folder, 'run.json'), JSON.stringify({ supervisor, parts: [] }));
  await expect(openRunFile(join(folder, 'run.json'), () => undefined, never)).rejects.toThrow(
    `npm start runs already on ${folder} (process ${pid}): stop it, or set DATA_DIR and the ports`,
  );
  expect(isAlive(pid)).toBe(true);
});

it('records the parts that run, and is gone after a clean end', async () => {
  const folder = await makeTempDir();
  const file = join(folder, 'data', 'run.json');
  const runFile = await openRunFile(file, () => undefined, never);
  const part = await makeServerPart(folder, 'worker');
  runFile.record(part, 11);
  runFile.record(part, 12);
  await expect
    .poll(() => readFile(file, 'utf8').then(JSON.parse))
    .toMatchObject({ parts: [{ name: 'worker', pid: 12 }] });
  await runFile.remove();
  await expect(readFile(file)).rejects.toThrow('ENOENT');
});
