import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** A tool of Python's, in a cache folder of its own. */
export interface PythonTool {
  /** The path of a program of it, as of its `python`. */
  program(name: string): string;
  /** Runs a program of it to its end. @returns its exit code and what it wrote */
  run(name: string, args: string[], cwd: string): Promise<{ code: number; output: string }>;
}

/** Finds a tool, or installs it from PyPI. @throws Error without Python 3 with venv, or PyPI */
export function pythonTool(name: string, version: string): PythonTool {
  const folder = join(homedir(), '.cache', 'lead-onboarding', `${name}-${version}`);
  const program = (each: string) => join(folder, 'bin', each);
  if (!existsSync(program(name))) {
    const steps = [
      ['python3', '-m', 'venv', folder],
      [program('pip'), '--quiet', 'install', `${name}==${version}`],
    ];
    for (const [command = '', ...args] of steps) {
      const { status, stderr, error } = spawnSync(command, args, { encoding: 'utf8' });
      if (status !== 0) throw new Error(`${name} needs Python 3 with venv, and PyPI: ${error?.message ?? stderr}`);
    }
  }
  return {
    program,
    async run(each, args, cwd) {
      const env = { ...process.env, NO_COLOR: '1' };
      const child = spawn(program(each), args, { cwd, stdio: ['ignore', 'pipe', 'pipe'], env });
      const output: string[] = [];
      for (const stream of [child.stdout, child.stderr])
        stream.on('data', (chunk: Buffer) => output.push(chunk.toString()));
      const [code] = (await once(child, 'exit')) as [number | null];
      return { code: code ?? 1, output: output.join('') };
    },
  };
}
