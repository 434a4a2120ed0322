import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Builds what is older than its sources: `npm start` runs this each time, and it has to cost nothing then.
 * `node build.mjs verify` checks what it has built as well, unless nothing was changed since it was last found good.
 */
const BUILD = [
  {
    name: 'prisma-client',
    inputs: ['prisma/schema.prisma', 'package-lock.json'],
    output: 'src/db/generated/client.ts',
    run: ['prisma/engine/cli.mjs', 'generate'],
  },
  {
    name: 'javascript',
    inputs: ['src', 'activities', 'workflows', 'tsconfig.json', 'tsconfig.build.json', 'package-lock.json'],
    output: 'dist/src/api.js',
    run: ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.build.json'],
  },
  {
    name: 'workflow-bundle',
    inputs: ['workflows', 'src/temporal/workflow-bundle.ts', 'package-lock.json'],
    output: 'dist/workflows/bundle.cjs',
    run: ['dist/src/temporal/write-bundle.js'],
  },
];
const VERIFY = {
  name: 'checks',
  inputs: ['.'],
  run: [process.env.npm_execpath ?? '', 'run', '-s', 'checks'],
};
/** What is written by tools, not by us. */
const IGNORED = new Set(['.cache', '.data', '.git', '.next', 'coverage', 'dist', 'node_modules', 'results']);

process.chdir(import.meta.dirname);
mkdirSync('dist', { recursive: true });
/** @type {{ name: string, inputs: string[], output?: string, run: string[] }[]} */
const steps = process.argv.includes('verify') ? [...BUILD, VERIFY] : BUILD;
for (const { name, inputs, output, run } of steps) {
  const stamp = join('dist', `.${name}.built`);
  if ((!output || modifiedAt(output) > 0) && Math.max(...inputs.map(modifiedAt)) < modifiedAt(stamp)) continue;
  const startedAt = new Date();
  const { status, stdout, stderr } = spawnSync(process.execPath, run, { encoding: 'utf8' });
  if (status !== 0) {
    process.stderr.write(`${stdout}${stderr}The build stopped at ${name}: node ${run.join(' ')}\n`);
    process.exit(1);
  }
  writeFileSync(stamp, '');
  utimesSync(stamp, startedAt, startedAt); // what was changed meanwhile is newer
}

/**
 * When a file, or the newest file below a folder, was changed; 0 when there is none.
 * @param {string} path
 * @returns {number}
 */
function modifiedAt(path) {
  const stats = statSync(path, { throwIfNoEntry: false });
  if (!stats?.isDirectory()) return stats?.mtimeMs ?? 0;
  const names = readdirSync(path).filter((name) => !IGNORED.has(name));
  return Math.max(stats.mtimeMs, ...names.map((name) => modifiedAt(join(path, name))));
}
