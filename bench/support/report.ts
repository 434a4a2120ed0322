import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { availableParallelism, cpus, loadavg, totalmem } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { checkDatabase } from '../../src/local/postgres/database.ts';
import { resolveTemporalCli } from '../../src/local/temporal/temporal-cli.ts';

const RESULTS = join(import.meta.dirname, '../results');

export type Row = Record<string, string | number>;

/** What was measured where. Made before the first round: the load of the machine is that of others then. */
export async function describeMachine(postgresUrl?: string): Promise<Row> {
  const temporal = await promisify(execFile)((await resolveTemporalCli()).path, ['--version']);
  return {
    CPU: `${cpus()[0]?.model.trim() ?? 'unknown'}, ${availableParallelism()} cores`,
    memory: `${Math.round(totalmem() / 1_024 ** 3)} GiB`,
    'load before': loadavg()
      .map((load) => load.toFixed(2))
      .join(' '),
    Node: process.versions.node,
    ...(postgresUrl !== undefined && { Postgres: await checkDatabase(postgresUrl) }),
    Temporal: /Server [\d.]+/.exec(temporal.stdout)?.[0] ?? temporal.stdout.trim(),
  };
}

/** Prints tables in Markdown, and keeps them with every single measurement as JSON in `bench/results/`. */
export async function report(bench: {
  name: string;
  machine: Row;
  /** The sizes that it ran with. */
  sizes: Row;
  tables: Record<string, Row[]>;
  measurements: unknown;
}): Promise<void> {
  const startedAt = new Date().toISOString();
  const facts = (row: Row) => Object.entries(row).map(([name, value]) => `${name} ${value}`);
  console.log(`\n## bench:${bench.name}, ${startedAt.slice(0, 16).replace('T', ' ')} UTC\n`);
  console.log(`${facts(bench.machine).join('; ')}.\n\nSizes: ${facts(bench.sizes).join('; ')}.`);
  for (const [title, rows] of Object.entries(bench.tables)) console.log(`\n### ${title}\n\n${toMarkdown(rows)}`);
  await mkdir(RESULTS, { recursive: true });
  const file = join(RESULTS, `${bench.name}-${startedAt.replaceAll(':', '-')}.json`);
  await writeFile(file, JSON.stringify({ ...bench, at: startedAt }, null, 2));
  console.log(`\nEvery measurement: ${file}`);
}

function toMarkdown(rows: Row[]): string {
  const columns = Object.keys(rows[0] ?? {});
  const line = (cells: (string | number)[]) => `| ${cells.join(' | ')} |`;
  const body = rows.map((row) => line(columns.map((column) => row[column] ?? '')));
  return [line(columns), line(columns.map(() => '---')), ...body].join('\n');
}
