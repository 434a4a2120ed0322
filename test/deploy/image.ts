import { copyFile, cp, link, mkdir, readdir, readFile, stat, symlink } from 'node:fs/promises';
import { basename, join, relative } from 'node:path';
import { projectRoot } from '../../src/local/project-root.ts';
import { runCommand } from '../../src/local/processes/run-command.ts';
import { finalStage, type Instruction, parseDockerfile, type Stage } from './dockerfile.ts';

const ROOT = projectRoot();

export const readDockerfile = async () => parseDockerfile(await readFile(join(ROOT, 'Dockerfile'), 'utf8'));

/**
 * Follows the Dockerfile without Docker: every stage is a folder, `node` and `find` run as written, and what `npm ci` would
 * install comes from the project's own `node_modules`.
 * @returns the working folder of the finished image
 */
export async function assembleImage(folder: string): Promise<string> {
  const stages = await readDockerfile();
  const isIgnored = await readIgnoreFile();
  for (const stage of stages) {
    let workdir = join(folder, stage.name);
    for (const instruction of stage.instructions) {
      if (instruction.name === 'WORKDIR') workdir = join(folder, stage.name, instruction.args[0] ?? '');
      await mkdir(workdir, { recursive: true });
      if (instruction.name === 'COPY') await copy(instruction, { folder, workdir, isIgnored });
      if (instruction.name === 'RUN') await run(instruction, workdir);
    }
  }
  return join(folder, finalStage(stages).name, workdirOf(finalStage(stages)));
}

const workdirOf = (stage: Stage) => stage.instructions.find(({ name }) => name === 'WORKDIR')?.args[0] ?? '/';

interface Place {
  folder: string;
  workdir: string;
  isIgnored: (path: string) => boolean;
}

async function copy({ flags, args }: Instruction, { folder, workdir, isIgnored }: Place): Promise<void> {
  const stage = flags['from'];
  const destination = args.at(-1) ?? '';
  for (const path of args.slice(0, -1)) {
    const source = stage === undefined ? join(ROOT, path) : join(folder, stage, path);
    if (stage === undefined && isIgnored(path)) throw new Error(`.dockerignore keeps ${path} out of the build`);
    const target = join(workdir, destination.endsWith('/') ? join(destination, basename(path)) : destination);
    if (stage !== undefined && (await stat(source)).isDirectory()) await linkAll(source, target, () => true);
    else
      await cp(source, target, {
        recursive: true,
        verbatimSymlinks: true,
        filter: (from) => stage !== undefined || !isIgnored(relative(ROOT, from)),
      });
  }
}

async function run({ args }: Instruction, workdir: string): Promise<void> {
  const [command = '', ...rest] = args;
  if (command === 'apt-get') return;
  if (command === 'find' && process.platform !== 'linux') return; // what another platform needs would go
  if (command === 'npm' && rest[0] === 'ci') return install(rest, join(workdir, 'node_modules'));
  const [program, ...words] = command === 'node' ? [process.execPath, ...rest] : ['sh', '-c', args.join(' ')];
  if (command !== 'node' && command !== 'find') throw new Error(`No way to imitate RUN ${args.join(' ')}`);
  const env = { PATH: process.env['PATH'], HOME: workdir };
  const result = await runCommand(program, words, { cwd: workdir, env });
  if (!result.ok) throw new Error(`RUN ${args.join(' ')}: ${result.reason}\n${result.stdout}${result.stderr}`);
}

/** All packages as one link, or, where some are omitted, the others as links to their files, of which any may be deleted. */
async function install(flags: string[], folder: string): Promise<void> {
  const source = join(ROOT, 'node_modules');
  const omits = (kind: string) => flags.includes(`--omit=${kind}`);
  if (!omits('dev')) return symlink(source, folder);
  const { packages } = JSON.parse(await readFile(join(ROOT, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, { dev?: boolean; optional?: boolean; devOptional?: boolean }>;
  };
  const omitted = new Set(
    Object.entries(packages).flatMap(([path, { dev, optional, devOptional }]) =>
      dev || devOptional || (optional && omits('optional')) ? [join(ROOT, path)] : [],
    ),
  );
  await linkAll(source, folder, (path) => !omitted.has(path));
}

/** Links the files of a folder into another one; copies them where no link leads to another disk. */
async function linkAll(source: string, target: string, isWanted: (path: string) => boolean): Promise<void> {
  await mkdir(target, { recursive: true });
  for (const entry of await readdir(source, { withFileTypes: true })) {
    const [from, to] = [join(source, entry.name), join(target, entry.name)];
    if (!isWanted(from) || entry.name.startsWith('.')) continue;
    if (entry.isDirectory()) await linkAll(from, to, isWanted);
    else if (entry.isFile()) await link(from, to).catch(() => copyFile(from, to));
  }
}

/** Knows literal paths and a lone `*`; the last pattern that fits a path, or a folder above it, decides. */
async function readIgnoreFile(): Promise<(path: string) => boolean> {
  const lines = (await readFile(join(ROOT, '.dockerignore'), 'utf8')).split('\n');
  const patterns = lines
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => ({ ignores: !line.startsWith('!'), path: line.replace('!', '') }));
  return (path) =>
    patterns.findLast((pattern) => [path, '*'].includes(pattern.path) || path.startsWith(`${pattern.path}/`))
      ?.ignores ?? false;
}
