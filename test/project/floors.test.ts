import { spawnSync } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { projectRoot } from '../../src/local/project-root.ts';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'floors-'));
  for (const name of ['.dependency-cruiser.mjs', 'tsconfig.json', 'package.json']) {
    await cp(join(projectRoot(), name), join(folder, name));
  }
  await symlink(join(projectRoot(), 'node_modules'), join(folder, 'node_modules'));
});

afterEach(() => rm(folder, { recursive: true, force: true }));

/** What `npm run floors`, a part of `npm run verify`, says of a house that has these files only. */
async function inspect(files: Record<string, string>) {
  for (const [path, text] of Object.entries(files)) {
    await mkdir(join(folder, dirname(path)), { recursive: true });
    await writeFile(join(folder, path), text);
  }
  const { scripts } = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')) as {
    scripts: Record<'floors' | 'verify', string>;
  };
  expect(scripts.verify).toContain('npm run -s floors');
  const command = scripts.floors.split(' ').filter((word) => !/^(src|workflows|activities)$/.test(word));
  const { status, stdout, stderr } = spawnSync('npx', [...command, '--no-cache', '.'], {
    cwd: folder,
    encoding: 'utf8',
  });
  return { status, said: stdout + stderr };
}

const leads = { 'src/leads/lead.ts': 'export const lead = 1;\n' };

test('a room may import from a floor below', async () => {
  const { status, said } = await inspect({ ...leads, 'src/http/route.ts': "import '../leads/lead.ts';\n" });
  expect(said).toContain('no dependency violations');
  expect(status).toBe(0);
});

test.each([
  ['from above', 'src/outbox/order.ts', 'floor-4'],
  ['from above, a type only', 'src/outbox/type-only.ts', 'floor-4'],
  ['from a room of its own floor', 'src/api-keys/key.ts', 'floor-4'],
  ['from above, in an entry point', 'src/db/pool.ts', 'floor-2'],
])('a room that imports %s is refused', async (_, path, rule) => {
  const imports: Record<string, string> = {
    'src/outbox/order.ts': "import '../leads/lead.ts';\n",
    'src/outbox/type-only.ts': "import type { lead } from '../leads/lead.ts';\nexport type Lead = typeof lead;\n",
    'src/api-keys/key.ts': "import '../outbox/order.ts';\n",
    'src/db/pool.ts': "import '../api.ts';\n",
  };
  const others = { ...leads, 'src/outbox/order.ts': '', 'src/api.ts': '' };
  const { status, said } = await inspect({ ...others, [path]: imports[path] ?? '' });
  expect(said).toMatch(new RegExp(`error ${rule}: ${path} → `));
  expect(status).not.toBe(0);
});

test('two files that import each other are refused, also within a room', async () => {
  const { status, said } = await inspect({
    'src/leads/one.ts': "import type { other } from './other.ts';\nexport const one = 1 as unknown as typeof other;\n",
    'src/leads/other.ts': "import { one } from './one.ts';\nexport const other = { one };\n",
  });
  expect(said).toContain('error no-circle');
  expect(status).not.toBe(0);
});

test('a room without a floor is refused', async () => {
  const { status, said } = await inspect({ ...leads, 'src/attic/box.ts': "import '../leads/lead.ts';\n" });
  expect(said).toContain('error no-room-without-a-floor: src/attic/box.ts');
  expect(status).not.toBe(0);
});
