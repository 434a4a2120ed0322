import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { ensureDatabase } from '../../src/local/postgres/database.ts';
import { migrate } from '../../src/local/postgres/migrations.ts';
import { freePort } from '../../src/local/ports.ts';
import { connectionStringOf, startPostgres } from '../../src/local/postgres/postgres.ts';
import { projectRoot } from '../../src/local/project-root.ts';
import { startTemporal } from '../../src/local/temporal/temporal.ts';
import { resolveTemporalCli } from '../../src/local/temporal/temporal-cli.ts';
import { bundleWorkflows } from '../../src/temporal/workflow-bundle.ts';
import { build } from './build.ts';
import { instrumented } from './workflow-coverage.ts';

/** Test files run in as many processes; each has a Temporal namespace of its own. */
export const namespaceOf = (poolId: string) => `test-${poolId}`;
const POOL_IDS = ['1', '2', '3', '4'];

declare module 'vitest' {
  interface ProvidedContext {
    /** A server whose database `template` has all migrations. */
    postgresPort: number;
    temporalAddress: string;
    temporalCli: string;
    workflowBundle: string;
  }
}

export const TEMPLATE_DATABASE = 'lead_template';

/** What a Temporal server for tests may use: a folder that goes with it, a Postgres, and the Temporal CLI. */
export interface TemporalSetup {
  folder: string;
  postgresPort: number;
  cli: string;
}

/** Starts what all tests share, on free ports: one real Postgres, one real Temporal server, one workflow bundle. */
export default (project: TestProject): Promise<() => Promise<void>> =>
  setUp(project, async ({ cli, folder }) =>
    startTemporal({
      cli,
      port: await freePort(),
      dbFilename: join(folder, 'temporal.db'),
      namespaces: POOL_IDS.map(namespaceOf),
    }),
  );

/** Starts it with a Temporal server of the tier's own. @returns what ends it */
export async function setUp(
  project: TestProject,
  startServer: (setup: TemporalSetup) => Promise<{ address: string; stop: () => Promise<void> }>,
): Promise<() => Promise<void>> {
  build();
  const folder = await mkdtemp(join(tmpdir(), 'lead-onboarding-test-'));
  const postgresPort = await freePort();
  const cli = await resolveTemporalCli({ onProgress: (line) => process.stderr.write(`${line}\n`) });
  const postgres = await startPostgres({
    dataDir: join(folder, 'postgres'),
    port: postgresPort,
    settings: { fsync: 'off', max_connections: '200' }, // what a crash of the machine would lose does not matter here
  });
  const [temporal, workflowBundle] = await Promise.all([
    startServer({ folder, postgresPort, cli: cli.path }),
    prepareBundle(folder, project.config.coverage.enabled),
    prepareTemplate(postgres.connectionString, postgresPort),
  ]);
  project.provide('postgresPort', postgresPort);
  project.provide('temporalAddress', temporal.address);
  project.provide('temporalCli', cli.path);
  project.provide('workflowBundle', workflowBundle);

  return async () => {
    await temporal.stop();
    await postgres.stop();
    await rm(folder, { recursive: true, force: true });
  };
}

/** The bundle as it was built, or one with counters. @returns its path */
async function prepareBundle(folder: string, withCoverage: boolean): Promise<string> {
  if (!withCoverage) return join(projectRoot(), 'dist/workflows/bundle.cjs');
  const { code } = await bundleWorkflows(join(projectRoot(), 'workflows/index.ts'), instrumented);
  const path = join(folder, 'workflows.cjs');
  await writeFile(path, code);
  return path;
}

async function prepareTemplate(serverUrl: string, port: number): Promise<void> {
  await ensureDatabase(serverUrl, TEMPLATE_DATABASE);
  const applied = await migrate({ connectionString: connectionStringOf(port, TEMPLATE_DATABASE), root: projectRoot() });
  if (applied === 0) throw new Error('The template database got no migration');
}
