import { readdir, readFile } from 'node:fs/promises';
import { isBuiltin } from 'node:module';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readEnvironment } from '../../src/process/environment.ts';
import { projectRoot } from '../../src/local/project-root.ts';
import { finalStage, lastOf } from './dockerfile.ts';
import { readDockerfile } from './image.ts';

const ROOT = projectRoot();
const stages = await readDockerfile();
const image = finalStage(stages);
const project = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8')) as {
  engines: { node: string };
  dependencies: Record<string, string>;
};

describe('the image', () => {
  it('is built on exact releases of a slim Debian with a Node that the project supports', () => {
    const [, major, minor] = /^>=(\d+)\.(\d+)$/.exec(project.engines.node) ?? [];
    for (const { image } of stages) {
      const release = /^node:(\d+)\.(\d+)\.\d+-bookworm-slim$/.exec(image);
      expect(release, image).not.toBeNull();
      expect(Number(release?.[1]) * 1000 + Number(release?.[2])).toBeGreaterThanOrEqual(
        Number(major) * 1000 + Number(minor),
      );
    }
    expect(new Set(stages.map(({ image }) => image)).size).toBe(1);
  });

  it('runs as a user who may change nothing', () => {
    const user = lastOf(image, 'USER');
    expect(user?.args).toEqual(['node']);
    const afterwards = image.instructions.slice(image.instructions.indexOf(user as never) + 1);
    expect(afterwards.map(({ name }) => name)).not.toContain('COPY');
    expect(image.instructions.filter(({ flags }) => flags['chown'])).toEqual([]);
  });

  it('has node itself as its first process, which is stopped by the signal that it handles', () => {
    expect(lastOf(image, 'CMD')).toMatchObject({
      exec: true,
      args: ['node', '--enable-source-maps', 'dist/src/api.js'],
    });
    expect(lastOf(image, 'ENTRYPOINT')).toBeUndefined();
    expect(lastOf(image, 'STOPSIGNAL')?.args).toEqual(['SIGTERM']);
  });

  it('exposes the port that the API listens on', () => {
    expect(lastOf(image, 'EXPOSE')?.args).toEqual([String(readEnvironment({}).PORT)]);
  });

  it('installs without running the scripts of packages', () => {
    const installs = stages.flatMap(({ instructions }) => instructions.filter(({ args }) => args[0] === 'npm'));
    expect(installs).toHaveLength(2);
    for (const { args } of installs) expect(args).toEqual(expect.arrayContaining(['ci', '--ignore-scripts']));
  });
});

describe('the packages of the image', () => {
  it('can be installed by npm ci: the lock file names each one, for every platform', async () => {
    const { packages } = JSON.parse(await readFile(join(ROOT, 'package-lock.json'), 'utf8')) as {
      packages: Record<string, { dependencies?: object; optionalDependencies?: object }>;
    };
    const missing = Object.entries(packages).flatMap(([path, { dependencies, optionalDependencies }]) =>
      Object.keys({ ...dependencies, ...optionalDependencies })
        .filter((name) => !foldersAbove(path).some((folder) => `${folder}node_modules/${name}` in packages))
        .map((name) => `${path} → ${name}`),
    );
    expect(missing).toEqual([]);
  });

  it('are dependencies, not development dependencies, wherever the processes import them', async () => {
    const files = await Promise.all(['src', 'activities', 'workflows', 'prisma'].map(listSources));
    const imported = await Promise.all([...files.flat(), 'prisma.config.ts'].map(importsOf));
    const packages = new Set(imported.flat().map(packageOf));
    expect(packages.size).toBeGreaterThan(10);
    expect([...packages].filter((name) => !(name in project.dependencies))).toEqual([]);
  });
});

/** A package's own folder and those around it, as Node looks for what it imports. */
function foldersAbove(path: string): string[] {
  const parts = path === '' ? [] : path.split('/node_modules/');
  return [...parts.map((_, index) => `${parts.slice(0, index + 1).join('/node_modules/')}/`), ''];
}

async function listSources(folder: string): Promise<string[]> {
  const entries = await readdir(join(ROOT, folder), { recursive: true });
  return entries
    .map((entry) => join(folder, entry))
    .filter((path) => /\.(ts|mjs)$/.test(path) && !/\.d\.ts$|^src\/(local|db\/generated)\//.test(path));
}

async function importsOf(path: string): Promise<string[]> {
  const source = await readFile(join(ROOT, path), 'utf8');
  const statements = source.matchAll(
    /^(?:import|export) (?!type )(?:[^;']* from )?'([^'.][^']*)';|import\('([^'.][^']*)'\)/gm,
  );
  return Array.from(statements, ([, name, dynamic]) => name ?? dynamic ?? '').filter((name) => !isBuiltin(name));
}

const packageOf = (name: string) =>
  name
    .split('/')
    .slice(0, name.startsWith('@') ? 2 : 1)
    .join('/');
