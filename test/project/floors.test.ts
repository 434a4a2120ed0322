import { spawnSync } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { projectRoot } from '../../src/local/project-root.ts';

/** What `npm run floors`, a part of `npm run verify`, says of a house that has these files only. */
async function inspect(files: Record<string, string>) {
  const folder = await mkdtemp(join(tmpdir(), 'floors-'));
  for (const name of ['.dependency-cruiser.mjs', 'tsconfig.json', 'package.json']) {
    await cp(join(projectRoot(), name), join(folder, name));
  }
  await symlink(join(projectRoot(), 'node_modules'), join(folder, 'node_modules'));
  for (const [path, text] of Object.entries(files)) {
    await mkdir(join(folder, dirname(path)), { recursive: true });
    await writeFile(join(folder, path), text);
  }
  const { scripts } = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')) as {
    scripts: Record<'floors' | 'checks', string>;
  };
  expect(scripts.checks).toContain('npm run -s floors');
  const command = scripts.floors.split(' ').filter((word) => !/^(src|workflows|activities)$/.test(word));
  const { status, stdout, stderr } = spawnSync('npx', [...command, '--no-cache', '.'], {
    cwd: folder,
    encoding: 'utf8',
  });
  await rm(folder, { recursive: true, force: true });
  return { status, said: stdout + stderr };
}

test('a room may import from a floor below', async () => {
  const { status, said } = await inspect({
    'src/leads/lead.ts': 'export const lead = 1;\n',
    'src/http/route.ts': "import '../leads/lead.ts';\n",
  });
  expect(said).toContain('no dependency violations');
  expect(status).toBe(0);
});

describe('of a house with faults', () => {
  const FAULTS: [what: string, path: string, text: string, rule: string][] = [
    ['an import from above', 'src/outbox/order.ts', "import '../leads/lead.ts';\n", 'floor-4'],
    [
      'an import from above, of a type only',
      'src/outbox/type-only.ts',
      "import type { lead } from '../leads/lead.ts';\nexport type Lead = typeof lead;\n",
      'floor-4',
    ],
    ['an import from a room of its own floor', 'src/api-keys/key.ts', "import '../outbox/order.ts';\n", 'floor-4'],
    ['an import from above, in an entry point', 'src/db/pool.ts', "import '../api.ts';\n", 'floor-2'],
    [
      'files that import each other, also within a room',
      'src/leads/one.ts',
      "import type { other } from './other.ts';\nexport const one = 1 as unknown as typeof other;\n",
      'no-circle',
    ],
    ['a room without a floor', 'src/attic/box.ts', "import '../leads/lead.ts';\n", 'no-room-without-a-floor'],
  ];
  const sound = {
    'src/api.ts': '',
    'src/leads/lead.ts': 'export const lead = 1;\n',
    'src/leads/other.ts': "import { one } from './one.ts';\nexport const other = { one };\n",
    'src/http/route.ts': "import '../leads/lead.ts';\n",
  };
  let house: Awaited<ReturnType<typeof inspect>>;

  beforeAll(async () => {
    house = await inspect({ ...sound, ...Object.fromEntries(FAULTS.map(([, path, text]) => [path, text])) });
  });

  test.for(FAULTS)('%s is refused', ([, path, , rule]) => {
    expect(house.said).toMatch(new RegExp(`error ${rule}: ${path}`));
    expect(house.status).not.toBe(0);
  });

  test('nothing else is refused', () => {
    expect(house.said.match(/^ {2}error /gm)).toHaveLength(FAULTS.length);
  });
});
