import { readdir, readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { projectRoot } from '../../src/local/project-root.ts';

interface LockFile {
  packages: Record<string, { version?: string; resolved?: string }>;
}

const lock = JSON.parse(await readFile(join(projectRoot(), 'package-lock.json'), 'utf8')) as LockFile;
const { resolve } = createRequire(import.meta.url);

describe('the dependency tree', () => {
  it('has one version of the Temporal SDK, each package once: two copies would break instanceof', () => {
    const copies = Object.entries(lock.packages).filter(([path]) => /node_modules\/@temporalio\/[^/]+$/.test(path));
    expect(new Set(copies.map(([, { version }]) => version)).size).toBe(1);
    const names = copies.map(([path]) => path.split('node_modules/').at(-1));
    expect(new Set(names).size).toBe(names.length);
  });

  it('has one protobufjs for the SDK: with several, recorded histories cannot be read', () => {
    const seenBy = ['@temporalio/common', '@temporalio/proto', '@temporalio/client', '@temporalio/worker'];
    const copies = seenBy.map((name) => createRequire(resolve(name)).resolve('protobufjs'));
    expect(new Set(copies).size).toBe(1);
  });

  it('has Prisma in one version, command line and client alike', () => {
    const versions = ['prisma', '@prisma/client', '@prisma/adapter-pg', '@prisma/engines'].map(
      (name) => lock.packages[`node_modules/${name}`]?.version,
    );
    expect(new Set(versions).size).toBe(1);
  });

  it('has nothing in production that no source names', async () => {
    const root = projectRoot();
    const { dependencies } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as {
      dependencies: Record<string, string>;
    };
    const folders = ['src', 'workflows', 'activities', 'prisma/engine'];
    const files = await Promise.all(
      folders.map(async (folder) =>
        (await readdir(join(root, folder), { recursive: true }))
          .filter((file) => /\.m?ts$|\.mjs$/.test(file))
          .map((file) => join(root, folder, file)),
      ),
    );
    const sources = (await Promise.all(files.flat().map((file) => readFile(file, 'utf8')))).join('\n');
    const hoisted = ['protobufjs']; // see docs/decisions.md, 9
    const unused = Object.keys(dependencies).filter((name) => !new RegExp(`['"]${name}['"/]`).test(sources));
    expect(unused.filter((name) => !hoisted.includes(name))).toEqual([]);
  });

  it('is locked without download addresses', () => {
    expect(Object.values(lock.packages).filter(({ resolved }) => resolved?.startsWith('http'))).toEqual([]);
  });
});
