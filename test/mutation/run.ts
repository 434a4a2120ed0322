import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { basename, join, relative } from 'node:path';
import { parseArgs } from 'node:util';
import type { Location, MutantResult, Position } from '@stryker-mutator/api/core';
import { Stryker } from '@stryker-mutator/core';
import { Instrumenter } from '@stryker-mutator/instrumenter';
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import { type Room, ROOMS } from './rooms.ts';

const REPORT = 'coverage/mutation';
const CONFIG = 'test/mutation/vitest.config.ts';
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { seed: { type: 'string', default: '1' }, at: { type: 'string', multiple: true } },
});
const random = xoroshiro128plus(Number(values.seed));

/** `npm run test:mutation -- [room …] [--seed 1] [--at file:line:column-line:column …]` */
async function main(): Promise<void> {
  const rows: string[] = [];
  await mkdir(REPORT, { recursive: true });
  for (const name of positionals.length > 0 ? positionals : Object.keys(ROOMS)) {
    const room = ROOMS[name];
    if (!room) throw new Error(`There is no room ${name}: there is ${Object.keys(ROOMS).join(', ')}.`);
    const results = countUnloadable(await mutate(room, values.at ?? (await placesOf(room))));
    await writeFile(join(REPORT, `${name}.json`), JSON.stringify(results, null, 2));
    const missed = results.filter(({ status }) => status === 'Survived' || status === 'NoCoverage');
    const noticed = results.filter(({ status }) => status === 'Killed' || status === 'Timeout').length;
    const all = noticed + missed.length;
    rows.push(`| ${name} | ${all} | ${noticed} | ${((100 * noticed) / all).toFixed(0)} % |`);
    for (const mutant of missed) console.log(await describe(mutant));
  }
  console.log(['| room | mutants | noticed | score |', '| --- | --: | --: | --: |', ...rows].join('\n'));
}

/** The files to mutate, or the places in them, as Stryker's option `mutate` takes them. */
async function placesOf({ folder, only, except = [], sample }: Room): Promise<string[]> {
  const files = (await readdir(folder, { recursive: true }))
    .filter((file) => file.endsWith('.ts'))
    .filter((file) => only?.includes(basename(file, '.ts')) ?? !except.includes(basename(file, '.ts')))
    .map((file) => join(folder, file));
  if (sample === undefined) return files;
  const sources = await Promise.all(
    files.map(async (name) => ({ name, mutate: true, content: await readFile(name, 'utf8') })),
  );
  const instrumenter = new Instrumenter({
    debug: () => undefined,
    info: () => undefined,
    isDebugEnabled: () => false,
  } as never);
  const { mutants } = await instrumenter.instrument(sources, { ignorers: [], excludedMutations: [], plugins: null });
  const chosen = new Set<Mutant>();
  const places: string[] = [];
  for (const { fileName, location } of shuffle(mutants)) {
    if (chosen.size >= sample) break;
    const { start, end } = location;
    places.push(`${fileName}:${start.line + 1}:${start.column}-${end.line + 1}:${end.column}`);
    // Stryker takes what is within a place as well.
    for (const other of mutants)
      if (other.fileName === fileName && isWithin(other.location, location)) chosen.add(other);
  }
  return [...new Set(places)];
}

type Mutant = { fileName: string; location: Location };

function isWithin(inner: Location, outer: Location): boolean {
  const isBefore = (a: Position, b: Position) => a.line < b.line || (a.line === b.line && a.column <= b.column);
  return isBefore(outer.start, inner.start) && isBefore(inner.end, outer.end);
}

function shuffle<Item>(items: readonly Item[]): Item[] {
  const left = [...items];
  return items.flatMap(() => left.splice(uniformInt(random, 0, left.length - 1), 1));
}

function mutate({ tests, inBundle = false }: Room, places: string[]): Promise<MutantResult[]> {
  process.env['MUTATION_TESTS'] = JSON.stringify(tests);
  if (inBundle) process.env['MUTATION_IN_BUNDLE'] = 'yes';
  else delete process.env['MUTATION_IN_BUNDLE'];
  return new Stryker({
    mutate: places,
    testRunner: inBundle ? 'command' : 'vitest',
    commandRunner: { command: `npx vitest run --config ${CONFIG}` },
    vitest: { configFile: CONFIG, related: false },
    coverageAnalysis: inBundle ? 'off' : 'perTest',
    concurrency: 2,
    dryRunTimeoutMinutes: 20,
    timeoutMS: 60_000,
    reporters: ['progress-append-only'],
    tsconfigFile: 'none', // it would read ours by an API that TypeScript 7 does not have
    disableTypeChecks: '{src,workflows,activities,test}/**/*.ts',
    ignorePatterns: ['coverage', '.data', '.cache'],
    tempDirName: '.cache/stryker',
    allowEmpty: true,
  } as never).runMutationTest();
}

/**
 * With a mutant of what a module does when it is loaded a test file may not load: none of its tests fails then, as none
 * is there, and Stryker takes the mutant for a survivor. Vitest itself would not: such a mutant is noticed.
 */
function countUnloadable(results: MutantResult[]): MutantResult[] {
  const testsOf = ({ testsCompleted = 0 }: MutantResult) => testsCompleted;
  const all = Math.max(...results.map(testsOf));
  return results.map((mutant) =>
    mutant.status === 'Survived' && mutant.static && testsOf(mutant) < all ? { ...mutant, status: 'Killed' } : mutant,
  );
}

async function describe({ fileName, location, mutatorName, replacement, status }: MutantResult): Promise<string> {
  const line = (await readFile(fileName, 'utf8')).split('\n')[location.start.line - 1]?.trim() ?? '';
  const place = `${relative('.', fileName)}:${location.start.line}`;
  return `${status} ${place} ${mutatorName}: ${line} → ${replacement.replaceAll(/\s+/g, ' ').slice(0, 120)}`;
}

await main();
