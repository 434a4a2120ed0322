import { existsSync } from 'node:fs';
import { Command, InvalidArgumentError } from 'commander';
import { openTemporal } from './temporal/connection.ts';
import { type Deployment, rampVersion, readDeployment, setCurrentVersion } from './temporal/deployment.ts';

const program = new Command('npm run -s deployments --')
  .description(
    'Which version of the workflow code gets the runs that begin: versions are the WORKER_BUILD_ID of workers, ' +
      'in the Temporal of the TEMPORAL_* variables.',
  )
  .option('--json', 'print JSON');

program
  .command('status')
  .description('show the versions, who gets runs, and which workers may be stopped')
  .action(() => run());

program
  .command('set-current')
  .description('give a version all runs that begin from now on')
  .argument('[build-id]', 'of workers that poll already')
  .option('--unversioned', 'give them to the workers without WORKER_BUILD_ID instead')
  .action((buildId: string | undefined, { unversioned = false }: { unversioned?: boolean }) => {
    if ((buildId === undefined) !== unversioned) program.error('Name a build id, or say --unversioned.');
    return run((client) => setCurrentVersion(client, buildId));
  });

program
  .command('ramp')
  .description('give a version a share of the runs that begin from now on')
  .argument('<build-id>', 'of workers that poll already')
  .argument('<percentage>', '0 to 100; 0 ends the ramp', readPercentage)
  .action((buildId: string, percentage: number) => run((client) => rampVersion(client, buildId, percentage)));

function readPercentage(text: string): number {
  const percentage = Number(text);
  if (text.trim() !== '' && percentage >= 0 && percentage <= 100) return percentage;
  throw new InvalidArgumentError('It must be a number from 0 to 100.');
}

type Client = Parameters<typeof readDeployment>[0];

/** Changes something, and shows what is so then. */
async function run(change?: (client: Client) => Promise<void>): Promise<void> {
  const temporal = openTemporal();
  try {
    await change?.(temporal.client);
    const deployment = await readDeployment(temporal.client);
    console.log(program.opts().json ? JSON.stringify(deployment ?? null) : describe(deployment));
  } finally {
    await temporal.close();
  }
}

function describe(deployment: Deployment | undefined): string {
  if (!deployment) return 'No worker with a WORKER_BUILD_ID has polled yet: all workers are without a version.';
  const { current, ramping, versions } = deployment;
  const width = Math.max('BUILD ID'.length, ...versions.map(({ buildId }) => buildId.length));
  const line = (buildId: string, status: string, runs: string, says = '') =>
    `${buildId.padEnd(width)}  ${status.padEnd(8)}  ${runs.padStart(9)}  ${says}`.trimEnd();
  return [
    `Runs that begin go to ${current ?? 'workers without a version'}${ramping ? `, ${ramping.percentage} % of them to ${ramping.buildId}` : ''}.`,
    line('BUILD ID', 'STATUS', 'OPEN RUNS'),
    ...versions.map(({ buildId, status, openRuns }) => line(buildId, status, String(openRuns), SAYS[status])),
  ].join('\n');
}

const SAYS: Record<Deployment['versions'][number]['status'], string> = {
  inactive: 'gets no runs: set-current or ramp it',
  current: '',
  ramping: '',
  draining: 'ends the runs that it began: keep its workers',
  drained: 'its workers may be stopped',
};

if (existsSync('.env')) process.loadEnvFile();
try {
  await program.parseAsync();
} catch (err) {
  const details = err instanceof Error && 'details' in err && typeof err.details === 'string' ? err.details : undefined;
  console.error(details ?? (err instanceof Error ? err.message : String(err)));
  process.exitCode = 1;
}
