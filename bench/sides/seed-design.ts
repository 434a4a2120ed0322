import { spawnSync } from 'node:child_process';
import { readFile, mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../../src/local/ports.ts';
import { projectRoot } from '../../src/local/project-root.ts';
import type { BenchServer } from '../postgres.ts';
import { listens, runProgram, says } from '../support/processes.ts';
import type { StartedSide } from './side.ts';

const FOLDER = join(import.meta.dirname, '../seed-design');

/** The tables of the old design. */
export const seedSchema = () => readFile(join(FOLDER, 'prisma/schema.sql'), 'utf8');

/**
 * Installs the old design's own packages, and builds it, where that was not done yet or where it has changed since.
 * @throws Error with what npm or Next.js wrote
 */
export async function prepareSeedDesign(): Promise<void> {
  const redis = spawnSync('redis-server', ['--version']);
  if (redis.error) {
    throw new Error(
      'The old design needs redis-server on the PATH: install it (apt-get install redis-server, brew install redis), ' +
        'or leave the old design out with BENCH_SIDES=ours,bare.',
    );
  }
  const installed = await modifiedAt('node_modules/.package-lock.json');
  const neverInstalled = installed < (await modifiedAt('package-lock.json'));
  if (neverInstalled) npm('ci', '--ignore-scripts');
  const built = await modifiedAt('.next/BUILD_ID');
  const sources = spawnSync('find', ['src', 'prisma', 'next.config.mjs', '-newer', '.next/BUILD_ID'], { cwd: FOLDER });
  if (neverInstalled || built === 0 || sources.stdout.length > 0) npm('run', 'build');
}

const modifiedAt = (path: string) =>
  stat(join(FOLDER, path)).then(
    ({ mtimeMs }) => mtimeMs,
    () => 0,
  );

function npm(...args: string[]): void {
  process.stderr.write(`The old design: npm ${args.join(' ')}\n`);
  const env = {
    ...process.env,
    NEXT_TELEMETRY_DISABLED: '1',
    CHECKPOINT_DISABLE: '1',
    // Prisma would download its engine otherwise, which it does not even need here.
    PRISMA_SCHEMA_ENGINE_BINARY: join(projectRoot(), 'prisma/engine/schema-engine.mjs'),
  };
  const { status, stdout, stderr } = spawnSync('npm', args, { cwd: FOLDER, env, encoding: 'utf8' });
  if (status !== 0) throw new Error(`npm ${args.join(' ')} in ${FOLDER}:\n${stdout}${stderr}`);
}

/** Next.js in production, the process of workers, and a Redis of its own with AOF. */
export async function startSeedDesign(server: BenchServer): Promise<StartedSide> {
  const folder = await mkdtemp(join(tmpdir(), 'seed-design-'));
  const database = await server.createDatabase({ schema: await seedSchema() });
  const [port, redisPort] = await Promise.all([freePort(), freePort()]);
  const redis = await runProgram(
    {
      name: 'redis',
      command: 'redis-server',
      args: ['--port', String(redisPort), '--bind', '127.0.0.1', '--dir', folder, '--appendonly', 'yes'],
      env: process.env,
    },
    listens(redisPort),
  );
  const env = {
    PATH: process.env['PATH'],
    HOME: process.env['HOME'],
    NODE_ENV: 'production',
    NEXT_TELEMETRY_DISABLED: '1',
    DATABASE_URL: database.url,
    REDIS_PORT: String(redisPort),
  };
  const node = (name: string, args: string[]) => ({ name, command: process.execPath, args, env, cwd: FOLDER });
  const processes = await Promise.all([
    runProgram(node('workers', ['--import', 'tsx', 'src/workers.ts']), says('[Workers] ready')),
    runProgram(
      node('api', ['node_modules/next/dist/bin/next', 'start', '--hostname', '127.0.0.1', '--port', String(port)]),
      listens(port),
    ),
  ]);
  return {
    url: `http://127.0.0.1:${port}/api/leads`,
    databaseUrl: database.url,
    processes: [...processes, redis],
    async end() {
      await Promise.all([...processes, redis].map((running) => running.kill()));
      await database.drop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
