import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';

const VERSION = '4.32.5';
const FOLDER = join(homedir(), '.cache', 'lead-onboarding', `schemathesis-${VERSION}`);

/** Finds Schemathesis (https://schemathesis.readthedocs.io), or installs it from PyPI into a cache folder. */
function resolveSchemathesis(): string {
  const command = join(FOLDER, 'bin', 'schemathesis');
  if (existsSync(command)) return command;
  const steps = [
    ['python3', '-m', 'venv', FOLDER],
    [join(FOLDER, 'bin', 'pip'), '--quiet', 'install', `schemathesis==${VERSION}`],
  ];
  for (const [program = '', ...args] of steps) {
    const { status, stderr, error } = spawnSync(program, args, { encoding: 'utf8' });
    if (status !== 0) throw new Error(`Schemathesis needs Python 3 with venv, and PyPI: ${error?.message ?? stderr}`);
  }
  return command;
}

/** Runs Schemathesis to its end. @returns its exit code and what it wrote */
export async function runSchemathesis(args: string[]): Promise<{ code: number; output: string }> {
  const child = spawn(resolveSchemathesis(), ['run', ...args], {
    cwd: mkdtempSync(join(tmpdir(), 'schemathesis-')), // it keeps what failed there
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, NO_COLOR: '1' },
  });
  const output: string[] = [];
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => output.push(chunk.toString()));
  const [code] = (await once(child, 'exit')) as [number | null];
  return { code: code ?? 1, output: output.join('') };
}
