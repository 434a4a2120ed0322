import { cp, mkdir, readFile, stat, symlink } from 'node:fs/promises';
import { basename, join, relative } from 'node:path';
import { projectRoot } from '../../src/local/project-root.ts';
import { runCommand } from '../../src/local/processes/run-command.ts';
import { finalStage, type Instruction, parseDockerfile, type Stage } from './dockerfile.ts';

const ROOT = projectRoot();

export const readDockerfile = async () => parseDockerfile(await readFile(join(ROOT, 'Dockerfile'), 'utf8'));

/**
 * Follows the Dockerfile without Docker: every stage is a folder, `node` runs as written, and what `npm ci` would install
 * is the project's own `node_modules`.
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
    await stat(source);
    await cp(source, join(workdir, destination.endsWith('/') ? join(destination, basename(path)) : destination), {
      recursive: true,
      verbatimSymlinks: true,
      filter: (from) => stage !== undefined || !isIgnored(relative(ROOT, from)),
    });
  }
}

async function run({ args }: Instruction, workdir: string): Promise<void> {
  const [command = '', ...rest] = args;
  if (command === 'apt-get') return;
  if (command === 'npm' && rest[0] === 'ci') return symlink(join(ROOT, 'node_modules'), join(workdir, 'node_modules'));
  if (command !== 'node') throw new Error(`No way to imitate RUN ${args.join(' ')}`);
  const env = { PATH: process.env['PATH'], HOME: workdir };
  const result = await runCommand(process.execPath, rest, { cwd: workdir, env });
  if (!result.ok) throw new Error(`RUN ${args.join(' ')}: ${result.reason}\n${result.stdout}${result.stderr}`);
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
