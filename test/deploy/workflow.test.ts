import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'yaml';
import { expect, it } from 'vitest';
import { projectRoot } from '../../src/local/project-root.ts';
import { readCompose } from './compose.ts';

const read = (path: string) => readFile(join(projectRoot(), path), 'utf8');
const text = await read('.github/workflows/ci.yml');
const { jobs } = parse(text) as {
  jobs: Record<string, { strategy?: { matrix: { node: number[] } }; steps: { run?: string }[] }>;
};
const commands = Object.values(jobs).flatMap(({ steps }) => steps.flatMap(({ run }) => run ?? []));

it('tests on each Node that README.md names', async () => {
  const [, ...named] = /^You need Node (\d+) or (\d+)/m.exec(await read('README.md')) ?? [];
  expect(jobs['test']?.strategy?.matrix.node).toEqual(named.map(Number));
});

it('runs scripts and services that are there', async () => {
  const { scripts } = JSON.parse(await read('package.json')) as { scripts: object };
  const run = commands.flatMap((command) => Array.from(command.matchAll(/npm run ([\w:]+)/g), ([, name = '']) => name));
  expect(run).toContain('test:scenarios');
  for (const name of run) expect(scripts).toHaveProperty([name]);
  const services = commands.flatMap((command) =>
    Array.from(command.matchAll(/docker compose exec -T (\w+)/g), ([, name = '']) => name),
  );
  expect(Object.keys((await readCompose()).services)).toEqual(expect.arrayContaining(services));
});

it('makes its key as docs/api.md says', async () => {
  const [, command = ''] = /^docker compose exec api (node .+)$/m.exec(await read('docs/api.md')) ?? [];
  expect(command).toContain('create');
  expect(commands.join('\n')).toContain(command);
});
